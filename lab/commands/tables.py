"""`lab tables`: the tables and lists of the pages, made from the folders."""

from __future__ import annotations

import click

from lab.authoring import tables
from lab.chapters import ROOT


def write(check: bool) -> None:
    """Write what is out of date. With `check`, only name it.

    Raises `click.ClickException` when there is something to name.
    """
    stale = list(tables.out_of_date(tables.pages()))
    names = ", ".join(str(page.relative_to(ROOT)) for page in stale)
    if check and stale:
        raise click.ClickException(f"Out of date: {names}. Type:  lab tables")
    for page in stale:
        page.write_text(tables.made(page))
    click.echo(f"Written: {names}" if stale else "All tables are up to date.")
