"""What a page says, and what was printed."""

from __future__ import annotations

import difflib
import re


class Mismatch(AssertionError):
    """The page and the machine disagree. The message says where, and shows the difference."""


def pattern(expected: str) -> str:
    """What you see, as a regular expression. Spaces at the end of a line do not count."""
    lines = []
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            pieces = map(re.escape, line.rstrip().split("..."))
            lines.append("[^\\n]*".join(pieces) + "[ \t]*\n")
    return "".join(lines)


def difference(expected: str, actual: str) -> str:
    """Both texts as a diff: - what the page says, + what was printed."""
    return "\n".join(
        difflib.unified_diff(
            expected.rstrip().splitlines(),
            actual.rstrip().splitlines(),
            "the page says",
            "what was printed",
            lineterm="",
        )
    )
