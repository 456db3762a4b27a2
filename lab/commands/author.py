"""`lab new`, `lab dev check`: for those who add to the course."""

from __future__ import annotations

import click

from lab import chapters
from lab.authoring import checks, drafts
from lab.chapters import Chapter

KINDS = {"experiment": drafts.experiment, "exercise": drafts.exercise, "error": drafts.error}


def chapter_named(name: str) -> Chapter:
    try:
        return chapters.find(name)
    except chapters.NoChapter as error:
        raise click.ClickException(str(error)) from None


def new(kind: str, name: str) -> None:
    """Make the files of a new experiment, exercise or error.

    Raises `click.ClickException` when the name is none, or is taken.
    """
    number, slash, rest = name.partition("/")
    if not slash:
        raise click.ClickException(f"Name the chapter as well:  lab new {kind} 03/{name}")
    chapter = chapter_named(number)
    try:
        files = KINDS[kind](chapter, rest)
    except drafts.NoDraft as error:
        raise click.ClickException(str(error)) from None
    for file in files:
        click.echo(f"{checks.place(file)} is yours to fill in.")
    click.echo(f"What is still missing:  lab dev check {chapter.number}")


def check(name: str | None) -> bool:
    """Say what is missing, in the whole course or in one chapter. Returns whether nothing is."""
    chosen = [chapter_named(name)] if name else chapters.all_chapters()
    missing = [sentence for chapter in chosen for sentence in checks.of_chapter(chapter)]
    missing += checks.of_page(chapters.TUTORIALS / "errors.md")  # it has entries of each chapter
    for sentence in missing:
        click.echo(sentence)
    click.echo(f"\n{len(missing)} to do." if missing else "Nothing is missing.")
    return not missing
