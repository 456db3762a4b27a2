"""`lab entries`: the schedule that RedBeat keeps in Redis, shown and changed while beat runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from redis.exceptions import ConnectionError

from lab.commands.calendar import app_of
from lab.schedule.coming import next_run

if TYPE_CHECKING:
    from redbeat import RedBeatSchedulerEntry

    from lab.schedule.redbeats import RedBeats


@contextmanager
def entries_of(name: str) -> Iterator[RedBeats]:
    """The entries of an app. No command ends in a traceback because Redis is away."""
    try:
        from lab.schedule.redbeats import RedBeats, Refused
    except ModuleNotFoundError:
        sys.exit("RedBeat is not installed. In the folder of the course, type:  make install")
    app = app_of(name)
    try:
        yield RedBeats(app)
    except Refused as error:
        sys.exit(str(error))
    except ConnectionError as error:
        sys.exit(f"Redis does not answer ({error}). Nothing has changed.")


def show_entries(app: str) -> None:
    """Show all entries, in the order in which they come."""
    with entries_of(app) as entries:
        found = list(entries)
        for entry in found:
            tell(entries, entry)
        if not found:
            click.echo("There are no entries. Start RedBeat once, or add one.")


def add_entry(
    app: str,
    name: str,
    task: str,
    every: float | None,
    cron: str | None,
    expires: float | None,
    args: list[Any],
    kwargs: dict[str, Any],
) -> None:
    """Send a task from now on."""
    expires = expires or every  # what nobody took until the next one comes is thrown away
    options = {"expires": expires} if expires else {}
    with entries_of(app) as entries:
        when = entries.schedule(every, cron)
        tell(entries, entries.add(name, task, when, args=args, kwargs=kwargs, options=options))


def change_entry(
    app: str, name: str, every: float | None, cron: str | None, expires: float | None
) -> None:
    """Give an entry another schedule."""
    with entries_of(app) as entries:
        entry = entries.find(name)
        entry.schedule = entries.schedule(every, cron)
        if expires or every:
            entry.options["expires"] = expires or every
        tell(entries, entries.save(entry))


def pause_entry(app: str, name: str) -> None:
    """Keep an entry, but do not send it."""
    with entries_of(app) as entries:
        tell(entries, entries.pause(name))


def resume_entry(app: str, name: str) -> None:
    """Send an entry again, from now on."""
    with entries_of(app) as entries:
        tell(entries, entries.resume(name))


def remove_entry(app: str, name: str) -> None:
    """Forget an entry."""
    with entries_of(app) as entries:
        entries.find(name).delete()
        click.echo(f"{name} is removed.")


def tell(entries: RedBeats, entry: RedBeatSchedulerEntry) -> None:
    """Print one line about an entry."""
    state = "paused"
    if entry.enabled:
        run = next_run(entry.schedule, entry.last_run_at or entry.default_now())
        state = f"{run.astimezone(entries.app.timezone):%a %d %b %H:%M:%S}" if run else "is over"
    place = "in the code" if entries.is_in_code(entry.name) else "in Redis"
    click.echo(f"{entry.name:15}  {state:19}  {place:11}  {entry.task}  {entry.schedule}")
