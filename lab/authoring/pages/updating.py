"""What a page would have to say: what was printed, with every ``...`` of the page that still fits.

The lines of the page and the printed lines are laid side by side so that as little of the page as
possible has to change. ``...`` takes any lines there for nothing. The same is done inside a line
that has changed, with words in place of lines.
"""

from __future__ import annotations

import difflib
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.authoring.pages.comparing import is_dots, line_pattern

# How one part of the page and one printed part belong together.
FITS, CHANGED, ADDED, DROPPED, TAKEN, EMPTY = (
    "fits",
    "changed",
    "added",
    "dropped",
    "taken",
    "empty",
)
Step = tuple[str, int, int]  # what is done, and which two parts it is done with

NEVER = float("inf")
SIMILAR = 0.4  # so much of a line has to be the same, or it is another line
WORD = re.compile(r"\.\.\.|[^\W\d_]+|\d+|.")

# What differs each time, in lines that are new on a page.
VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
    r"|\b\d+\.\d+(?=\s?s\b)"
    r"|\b0x[0-9a-f]{6,}"
    r"|(?<=PoolWorker-)\d+"
    r"|/\S*/page-\w+/course"  # where a page is played
    rf"|(?<=@){re.escape(socket.gethostname())}\b"
)


@dataclass(frozen=True)
class Update:
    """What a fence would have to say, and how much of what was printed that is, in lines.

    `first` is the first line of the fence that does not fit, counted from 0.
    """

    lines: Sequence[str]
    first: int
    used: int


def updated(expected: str, printed: str, ended: bool = True) -> Update:
    """What the page would have to say here.

    A program that has not `ended` may have printed more than this fence is about: what comes after
    the last line that still fits is left to the next one.
    """
    page = expected.rstrip().splitlines()
    screen = [line.rstrip() for line in printed.rstrip().splitlines()]
    fits = [re.compile(line_pattern(line)) for line in page]

    def change(i: int, j: int) -> float:
        if fits[i].fullmatch(screen[j]):
            return 0
        same = likeness(page[i], screen[j])
        if same >= SIMILAR:
            return 1.5 * (1 - same)
        # Another line altogether. At the beginning and at the end it stands for the old one.
        at_an_end = (i, j) in ((0, 0), (len(page) - 1, len(screen) - 1))
        return 0.9 if at_an_end and screen[j] else NEVER

    # What another fence is about may come after this one, and costs nothing here.
    old = page if ended else [*page, "..."]
    steps = cheapest(old, screen, change, lambda line: 1.2, lambda line: 0.1)
    if not ended:
        while steps[-1][0] == TAKEN:
            steps.pop()
        steps.pop()
    lines: list[str] = []
    for step, i, j in steps:
        if step == FITS:
            lines.append(page[i])
        elif step == EMPTY:
            if not lines or not is_dots(lines[-1]):
                lines.append(page[i])
        elif step == CHANGED:
            lines.append(changed_line(page[i], screen[j]))
        elif step == ADDED:
            lines.append(VARIES.sub("...", screen[j]))
    wrong = [i for step, i, _ in steps if step in (CHANGED, ADDED, DROPPED)]
    used = sum(step in (FITS, CHANGED, ADDED, TAKEN) for step, *_ in steps)
    return Update(lines, min(wrong, default=0), used)


def changed_line(page: str, printed: str) -> str:
    """A line as it was printed, with those ``...`` of the page that still fit."""
    old, new = WORD.findall(page.rstrip()), WORD.findall(printed)

    def change(i: int, j: int) -> float:
        both_are_words = old[i].isalpha() and new[j].isalpha()
        return 0 if old[i] == new[j] else len(old[i]) if both_are_words else NEVER

    line, added = "", ""
    for step, i, j in [*cheapest(old, new, change, len, lambda word: len(word) / 10), ("", 0, 0)]:
        if step in (ADDED, CHANGED):
            added += new[j]
            continue
        if step not in (DROPPED, TAKEN):  # these stand between two parts of what was added
            line, added = line + VARIES.sub("...", added), ""
        if step == FITS or (step == EMPTY and not line.endswith("...")):
            line += old[i]
    return line


def likeness(page: str, printed: str) -> float:
    """How much of a line of the page is in a printed line, between 0 and 1."""
    old = [word for word in WORD.findall(page) if word != "..." and not word.isspace()]
    new = [word for word in WORD.findall(printed) if not word.isspace()]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    whole = 2 * len(old) if "..." in page else len(old) + len(new)
    return 2 * same / whole if whole else 0.0


def cheapest(
    old: Sequence[str],
    new: Sequence[str],
    change: Callable[[int, int], float],
    drop: Callable[[str], float],
    add: Callable[[str], float],
) -> list[Step]:
    """The steps that lead from the old parts to the new ones and cost least.

    `change` is what it costs that a new part stands for an old one: 0 when it fits. `drop` and
    `add` are the costs of a part that has no partner.
    """
    costs = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    came: list[list[str]] = [[""] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) + 1):
        for j in range(len(new) + 1):
            choices: list[tuple[float, str]] = []
            if i and is_dots(old[i - 1]):
                if j:
                    choices.append((costs[i][j - 1], TAKEN))
                choices.append((costs[i - 1][j], EMPTY))
            elif i:
                if j:
                    cost = change(i - 1, j - 1)
                    choices.append((costs[i - 1][j - 1] + cost, CHANGED if cost else FITS))
                choices.append((costs[i - 1][j] + drop(old[i - 1]), DROPPED))
            if j:
                choices.append((costs[i][j - 1] + add(new[j - 1]), ADDED))
            if choices:  # of those that cost the same, the first
                costs[i][j], came[i][j] = min(choices, key=lambda choice: choice[0])
    steps: list[Step] = []
    i, j = len(old), len(new)
    while i or j:
        step = came[i][j]
        at = i - 1 if step in (FITS, CHANGED, DROPPED, EMPTY) else i
        steps.append((step, at, max(j - 1, 0)))
        i = at
        j -= step in (FITS, CHANGED, ADDED, TAKEN)
    return steps[::-1]


def write(page: Path, changes: Sequence[tuple[int, int, Sequence[str]]]) -> None:
    """Write new lines into a page: from this line, counted from 1, so many, and in their place."""
    lines = page.read_text().splitlines()
    for begin, count, new in sorted(changes, reverse=True):
        fence = lines[: begin - 1]
        indent = next((re.match(r" *", line) for line in fence[::-1] if "```" in line), None)
        space = indent[0] if indent else ""
        lines[begin - 1 : begin - 1 + count] = [f"{space}{line}".rstrip() for line in new]
    page.write_text("\n".join(lines) + "\n")
