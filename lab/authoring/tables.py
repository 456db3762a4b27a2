"""The tables and lists of the pages: made from the folders of the chapters.

Where one stands, the page has two comments, which no reader sees. They are those of Cog:

    <!-- [[[cog tables.experiments("01") ]]] -->
    <!-- [[[end]]] -->

What is between them is printed by a function of this module. ``lab tables`` writes all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lab import chapters
from lab.course import catalogue, exercises
from lab.course import experiments as course_experiments

MARK = "<!-- [[[cog "


def pages() -> list[Path]:
    """The pages with something that is made."""
    found = [*chapters.TUTORIALS.glob("*.md")]
    found += [page for chapter in chapters.all_chapters() for page in chapter.pages]
    return sorted(page for page in found if MARK in page.read_text())


def made(page: Path) -> str:
    """What the page has to be."""
    from cogapp import Cog

    cog = Cog()
    cog.options.prologue = "from lab.authoring import tables"
    cog.options.print_output = True
    return str(cog.process_string(page.read_text(), str(page)))


def out_of_date(pages: Sequence[Path]) -> Iterator[Path]:
    """Those of the pages that are not what they have to be."""
    for page in pages:
        if made(page) != page.read_text():
            yield page


# What can stand between the comments


def objectives(number: str) -> None:
    """What a learner can do in the end."""
    print(*(f"- {line}" for line in chapters.find(number).objectives), sep="\n")


def key_points(number: str) -> None:
    """What to remember of a chapter."""
    print(*(f"- {line}" for line in chapters.find(number).key_points), sep="\n")


def experiments(number: str) -> None:
    """The experiments of a chapter."""
    print("| experiment | question |\n|---|---|")
    for each in course_experiments.of_chapter(chapters.find(number)):
        print(f"| [{each.name}](experiments/{each.path.name}) | {each.story['title']} |")


def tasks(number: str) -> None:
    """The exercises of a chapter."""
    print("| exercise | what you do | minutes |\n|---|---|---|")
    for each in exercises.of_chapter(chapters.find(number)):
        place = f"exercises/{each.folder.name}/README.md"
        print(f"| [{each.name}]({place}) | {each.title} | {each.minutes} |")


def errors() -> None:
    """The error catalogue."""
    lines = []
    for chapter in chapters.all_chapters():
        if entries := [entry for entry in catalogue.all_entries() if entry.chapter == chapter]:
            lines.append(f"## {chapter.name}: {chapter.title}\n")
        for entry in entries:
            source = f"../{entry.chapter.name}/{entry.source.parent.name}/{entry.source.name}"
            lines.append(f"### {entry.title}\n\n{entry.markdown()}\n")
            lines.append(f"See it: {entry.see} ([source]({source}))\n")
    print("\n".join(lines), end="")
