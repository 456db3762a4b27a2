"""Copies of an example with a small change, for what is to be broken."""

from __future__ import annotations

import difflib
import shutil

NOT_THE_EXAMPLE = shutil.ignore_patterns(
    "errors",
    "experiments",
    "exercises",
    "solutions",
    "tests",
    "__pycache__",
    "work",
    "photos",
    "*.md",
)


def diff(name: str, before: str, after: str) -> str:
    """The change to a file, as `diff -u` shows it."""
    sides = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*sides, f"{name} (the example)", f"{name} (broken)", n=1))
