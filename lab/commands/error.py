"""`lab error`: the entry of the catalogue that fits a message."""

from __future__ import annotations

import click
from rich.console import Console
from rich.markdown import Markdown

from lab.course import catalogue


def explain(text: str, console: Console) -> None:
    """Show the best entry, and the titles of the next two.

    Raises `click.ClickException` when the catalogue has none.
    """
    found = catalogue.find(text)
    if not found:
        raise click.ClickException(
            "The catalogue has no such message. Look through it in tutorials/errors.md with fewer "
            "words. To see where your task is:  lab xray"
        )
    best, *others = found[:3]
    console.print(Markdown(f"# {best.title}\n\n{best.markdown()}\n\nSee it: {best.see}"))
    if others:
        console.print("\nIt could also be:")
    for other in others:
        console.print(f"  {other.title}", highlight=False, markup=False)
