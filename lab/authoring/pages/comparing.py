"""What a page says, and what was printed."""

from __future__ import annotations

import difflib
import re


class Mismatch(AssertionError):
    """The page and the machine disagree. The message says where, and shows the difference.

    `line` is the line of the page that is wrong. `None`: the beginning of the fence.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def pattern(expected: str) -> str:
    """What you see, as a regular expression. Spaces at the end of a line do not count."""
    return "".join(
        r"(?:[^\n]*\n)*?" if is_dots(line) else f"{line_pattern(line)}\n"
        for line in expected.rstrip().splitlines()
    )


def is_dots(line: str) -> bool:
    """Whether this stands for any lines, or, as a part of a line, for anything."""
    return line.strip() == "..."


def line_pattern(line: str) -> str:
    """One line as a regular expression, without its end."""
    return "[^\\n]*".join(map(re.escape, line.rstrip().split("..."))) + "[ \t]*"


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
