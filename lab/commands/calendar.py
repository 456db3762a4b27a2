"""`lab calendar`: what a Celery app will run when, and what is wrong with its schedule.

It asks the schedule objects that beat asks, needs no broker, and sends nothing.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from celery import Celery

from lab.schedule.loading import CannotBuild, CannotLoad, load
from lab.schedule.plan import Plan, make_plan
from lab.schedule.rules import check


def check_calendar(name: str) -> None:
    """Say what is wrong with the schedule of an app and leave with exit code 1, or say "ok"."""
    app = app_of(name)
    found, entries = check(app), len(app.conf.beat_schedule)
    for entry, what in found:
        click.echo(f"{entry}: {what}")
    if found:
        sys.exit(1)
    click.echo(f"ok: nothing to fix in {entries} entr{'y' if entries == 1 else 'ies'}.")


def show_calendar(
    name: str, days: int, zone: ZoneInfo | None, start: datetime | None, out: Path | None
) -> None:
    """Print the coming runs of an app, and draw them into the file `out`."""
    app = app_of(name)
    if found := check(app):
        names = ", ".join(sorted({entry for entry, _ in found}))
        sys.exit(f"First fix the schedule ({names}):  lab calendar -A {name} --check")
    zone = zone or app.timezone
    start = start.replace(tzinfo=zone) if start else datetime.now(zone).replace(microsecond=0)
    plan = make_plan(app, start, days)
    tell(plan)
    if out:
        from lab.schedule.picture import draw  # takes a second: only who wants one waits for it

        try:
            draw(plan).savefig(out)
        except (ValueError, OSError) as error:
            sys.exit(f"There is no picture: {error}")
        click.echo(f"\nThe picture is in {out}.")


def app_of(name: str) -> Celery:
    """The app that `celery -A name` finds. Leaves with a sentence when there is none."""
    try:
        return load(name)
    except CannotLoad as error:
        sys.exit(f"{error} Write -A as you write it for `celery -A`.")
    except CannotBuild as error:
        more = "Nothing behind it was looked at. Fix it, and check again."
        click.echo(f"{error.entry}: {error}\n    {more}")
        sys.exit(1)


def tell(plan: Plan) -> None:
    """Print the plan as a table."""
    days = "1 day" if plan.days == 1 else f"{plan.days} days"
    click.echo(f"{days} from {plan.start:%a %d %b %Y %H:%M}, {plan.zone}\n")
    width = max((len(name) for name in plan.frequent), default=0)
    for name, how_often in plan.frequent.items():
        click.echo(f"{name:{width}}  {how_often}")
    if plan.frequent and plan.runs:
        click.echo()
    width = max((len(entry.name) for _, entry in plan.runs), default=0)
    for run, entry in plan.runs:
        clock = f"{run:%H:%M:%S}" if run.second else f"{run:%H:%M}   "
        line = f"{run:%a %d %b %Y  }{clock}  {entry.name:{width}}  {entry.task}"
        if plan.hours(run) != 24:
            line += f"  (the clocks change: a day of {plan.hours(run):g} hours)"
        click.echo(line)
    if not plan.runs and not plan.frequent:
        click.echo("Nothing is scheduled.")
