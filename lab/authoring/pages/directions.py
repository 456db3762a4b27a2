"""Whether a page says where to type, where to look and which file to write.

What stands in the info string of a fence is for the player. A reader sees the prose alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lab.authoring.pages.fences import Fence, Page

# "terminal 3", "Terminals 5, 4, 2 and 1"
TERMINALS = re.compile(r"\bterminals? (\d(?:(?:,| and|, and| or) \d)*)", re.I)

# What is typed, and what is printed. A file has a name instead.
SEEN = ("sh", "keys", "pycon", "text")


def missing_in(page: Page) -> Iterator[tuple[Fence, str]]:
    """The fences that leave a reader alone, each with what to write above it.

    Fences without a word between them share the prose above the first. Whoever goes on in the
    terminal of the fence before needs no word, and neither does a Python session, of which the
    page has one at a time: the prompt shows it. What was printed stands below its command.
    """
    yield from terminals_missing_in(page)
    yield from files_missing_in(page)


def terminals_missing_in(page: Page) -> Iterator[tuple[Fence, str]]:
    """The fences of which nobody knows in which terminal they are typed or appear."""
    if len({fence.options["terminal"] for fence in page.fences if is_seen(fence)}) < 2:
        return
    numbers: dict[str, set[str]] = {}
    prose, before, python = "", "", ""
    for fence in page.fences:
        prose = fence.prose or prose
        if not is_seen(fence):
            continue
        terminal = fence.options["terminal"]
        named = set(re.findall(r"\d", " ".join(TERMINALS.findall(prose))))
        known = numbers.get(terminal, named) & named
        at_the_prompt = fence.kind == "pycon" and terminal == python
        if known:
            numbers[terminal] = known
        elif terminal != before and not at_the_prompt:
            number = " or ".join(sorted(numbers.get(terminal, set()))) or "N"
            verb = "is printed" if fence.kind == "text" else "is typed"
            yield fence, f"say that it {verb} in terminal {number}"
        before = terminal
        python = terminal if fence.kind == "pycon" else python


def is_seen(fence: Fence) -> bool:
    """Whether somebody looks at a terminal for it."""
    return fence.kind in SEEN and "terminal" in fence.options


def files_missing_in(page: Page) -> Iterator[tuple[Fence, str]]:
    """The files that a reader could not name."""
    prose, before = "", ("", "")
    for fence in page.fences:
        prose = fence.prose or prose
        if file := fence.options.get("file"):
            if Path(file).name not in prose and before != (file, fence.heading):
                yield fence, f"name the file, {file}"
            before = (file, fence.heading)
