"""What will run when:  python -m clock.calendar -A any.app --days 14

Reads the schedule of a Celery app, of any: your own project, in your own CI. It asks the
schedule objects that beat asks, needs no broker, and sends nothing.
"""

import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from clock.check import Finding, check
from clock.loading import CannotBuild, CannotLoad, load
from clock.plan import Plan, make_plan


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


def report(found: list[Finding], entries: int) -> None:
    """Print what is to mend, and leave with exit code 1. Or say that all is well."""
    for name, what in found:
        click.echo(f"{name}: {what}")
    if found:
        sys.exit(1)
    click.echo(f"ok: nothing to mend in {entries} entr{'y' if entries == 1 else 'ies'}.")


def in_zone(context: click.Context, parameter: click.Parameter, name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except Exception:
        raise click.BadParameter(
            f"there is no time zone {name!r}. Zones are called after cities: Europe/Paris."
        ) from None


@click.command()
@click.option("-A", "--app", "name", default="clock", help="The app, as for celery -A.")
@click.option("--days", default=14, type=click.IntRange(1, 366), help="How far to look.")
@click.option("--zone", callback=in_zone, help="Show times in this zone. Default: the app's own.")
@click.option("--start", type=click.DateTime(), help="Begin then, and not now.")
@click.option("--out", type=click.Path(path_type=Path), help="Draw a picture into this file.")
@click.option("--check", "only_check", is_flag=True, help="Find what beat would meet badly.")
def main(
    name: str,
    days: int,
    zone: ZoneInfo | None,
    start: datetime | None,
    out: Path | None,
    only_check: bool,
) -> None:
    """Print the coming runs of a Celery app, or check its schedule."""
    try:
        app = load(name)
    except CannotLoad as error:
        sys.exit(f"{error} Write -A as you write it for `celery -A`.")
    except CannotBuild as error:
        more = "Nothing behind it was looked at. Mend it, and check again."
        report([Finding(error.entry, f"{error}\n    {more}")], 0)
    found = check(app)
    if only_check:
        report(found, len(app.conf.beat_schedule))
        return
    if found:
        names = ", ".join(sorted({name for name, _ in found}))
        sys.exit(f"First mend the schedule ({names}):  python -m clock.calendar -A {name} --check")
    zone = zone or app.timezone
    start = start.replace(tzinfo=zone) if start else datetime.now(zone).replace(microsecond=0)
    plan = make_plan(app, start, days)
    tell(plan)
    if out:
        from clock.picture import draw  # takes a second: only who wants a picture waits for it

        try:
            draw(plan).savefig(out)
        except (ValueError, OSError) as error:
            sys.exit(f"There is no picture: {error}")
        click.echo(f"\nThe picture is in {out}.")


if __name__ == "__main__":
    main()
