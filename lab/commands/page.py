"""`lab page`: a page of the course, played as a learner would play it."""

from __future__ import annotations

from pathlib import Path

import click

from lab.authoring import netns
from lab.authoring.pages.comparing import Mismatch
from lab.authoring.pages.player import play_page


def play(path: Path, update: bool) -> None:
    """Play a page in a network of its own, where port 6379 is free, if the system allows that.

    With `update`, write what was printed into the page, and play what has come of it.

    Raises `click.ClickException` when the page and the machine disagree.
    """
    if netns.available():
        netns.enter()
    else:
        click.echo("This system allows no network of our own: port 6379 has to be free.")
    before = path.read_text()
    try:
        played = play_page(path, update)
        if path.read_text() != before:
            click.echo(f"{path} shows now what is printed. Read the difference: git diff {path}")
            click.echo("Is it the same the second time? Playing it again.")
            played = play_page(path)
    except Mismatch as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{played} fences played")
