"""The fences of a page, and the changes and sessions that stand in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lab.authoring.pages.comparing import Mismatch

PLAYED = ("sh", "text", "pycon", "keys", "file", "diff", "python")


@dataclass(frozen=True)
class Fence:
    """One fence of a page.

    `heading` is the nearest one above it, `line` its first line, and `prose` what a reader reads
    between the fence before and this one.
    """

    kind: str
    options: Mapping[str, str]
    text: str
    heading: str
    line: int  # of the page, counted from 1: the one with the backticks
    prose: str


@dataclass(frozen=True)
class Page:
    """A page and its fences, in order."""

    path: Path
    fences: list[Fence]

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path, list(fences_of(path.read_text())))

    @property
    def not_run(self) -> list[Fence]:
        """The fences that are there to be read only."""
        return [fence for fence in self.fences if "not-run" in fence.options]


def fences_of(text: str) -> Iterator[Fence]:
    """The fences that are played, with the heading they stand under."""
    from markdown_it import MarkdownIt

    heading, prose, tokens = "(top)", "", MarkdownIt().parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[index + 1].content
        elif token.type == "inline":
            prose += token.content + "\n"
        elif token.type == "fence":
            kind, *words = shlex.split(token.info) or [""]
            options = dict(word.partition("=")[::2] for word in words)
            if "file" in options and kind != "diff":
                kind = "file"
            if kind in PLAYED:
                line = token.map[0] + 1 if token.map else 0
                yield Fence(kind, options, token.content, heading, line, prose)
                prose = ""


class Example(NamedTuple):
    """A statement of a Python session, and what it prints from this line of the session on."""

    source: list[str]
    expected: list[str]
    line: int  # counted from 0


def examples_of(session: str) -> Iterator[Example]:
    """The statements of a Python session, each with what it prints."""
    source: list[str] = []
    expected: list[str] = []
    number = 0
    for number, line in enumerate(session.splitlines()):
        if line.startswith(">>>"):
            if source:
                yield Example(source, expected, number - len(expected))
            source, expected = [line[4:]], []
        elif line.startswith("... ") or (line == "..." and not expected and len(source) > 1):
            source.append(line[4:])
        else:
            expected.append(line)
    if source:
        yield Example(source, expected, number + 1 - len(expected))


def edited(text: str, change: str, name: str) -> str:
    """A text with a change as `diff` shows it. Hunks are apart by lines that begin with @@."""
    for hunk in re.split(r"^@@.*\n", change, flags=re.M):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        if not hunk:
            continue
        if text.count(old) != 1:
            raise Mismatch(
                f"{name} contains {text.count(old)} times, not once, what the page changes:\n{old}"
            )
        text = text.replace(old, new)
    return text
