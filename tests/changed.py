"""What a change can break.

Chapters cannot import each other (test_repository.py keeps that), so a change in one chapter
breaks nothing in another. What is not in a chapter can break everything.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from lab.chapters import ROOT, Chapter, all_chapters


@dataclass(frozen=True)
class Scope:
    """What is proved: chapters, and the whole-course tests or only what they say of these."""

    what: str
    chapters: Sequence[Chapter]
    course: bool
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def whole(cls) -> "Scope":
        return cls("the whole course", all_chapters(), course=True)

    @classmethod
    def of_chapter(cls, chapter: Chapter) -> "Scope":
        return cls(f"chapter {chapter.name}", [chapter], course=False)


def changed_files(base: str) -> list[str]:
    """The files that differ from a commit, committed or not.

    Raises `click.ClickException` when git knows no such commit.
    """

    def git(*words: str) -> list[str]:
        said = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        if said.returncode:
            raise click.ClickException(
                f"git {' '.join(words)}: {said.stderr.strip()}\n"
                "Name a commit to compare with:  make changed BASE=main"
            )
        return said.stdout.splitlines()

    [fork] = git("merge-base", base, "HEAD")
    untracked = git("ls-files", "--others", "--exclude-standard")
    return sorted({*git("diff", "--name-only", "--no-renames", fork), *untracked})


def chapter_of(file: str, chapters: Sequence[Chapter]) -> Chapter | None:
    """The chapter that a file belongs to: in its folder, or its notebook."""
    for chapter in chapters:
        if file.startswith(f"{chapter.name}/") or file == f"tutorials/{chapter.name}.ipynb":
            return chapter
    return None


def scope_of(files: Sequence[str]) -> Scope:
    """What a change of these files can break, and what cannot be broken by it."""
    chapters = all_chapters()
    owners = {file: chapter_of(file, chapters) for file in files}
    shared = [file for file, owner in owners.items() if owner is None]
    if shared:
        more = f" and {len(shared) - 3} more" if len(shared) > 3 else ""
        because = f"because of {', '.join(shared[:3])}{more}"
        if all(file.endswith((".md", ".ipynb")) for file in shared):
            touched = [chapter for chapter in chapters if chapter in owners.values()]
            left_out = ["the tests of the other chapters' examples: a page is no part of one"]
            return Scope(f"what the whole course says, {because}", touched, True, left_out)
        return Scope(f"the whole course, {because}", chapters, course=True)
    touched = [chapter for chapter in chapters if chapter in owners.values()]
    names = ", ".join(chapter.name for chapter in touched)
    others = ", ".join(chapter.name for chapter in chapters if chapter not in touched)
    left_out = [f"{others}: no chapter imports another"] if others else []
    left_out.append("what belongs to no chapter: the bench, the commands, tutorial 00")
    return Scope(f"{names}, where all {len(files)} changed files are", touched, False, left_out)
