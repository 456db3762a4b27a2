"""Change the schedule while RedBeat runs:  python -m clock.entries list

A change is in Redis at once. RedBeat looks there every `beat_max_loop_interval` seconds.
"""

import json
import re
import sys
from datetime import UTC

import click
from celery.schedules import crontab, schedule
from redbeat.schedulers import ensure_conf, get_redis
from redis.exceptions import ConnectionError

from clock.celery import app
from clock.check import check_entry
from clock.coming import next_run
from clock.redbeat import Entry

app.loader.import_default_modules()
app.finalize()
app.conf.redbeat_redis_options = {}  # somebody waits for the answer: do not try for a minute
redbeat = ensure_conf(app)


def find(name: str) -> Entry:
    """The entry with this name. It must be one that can be changed here."""
    if name in app.conf.beat_schedule:
        sys.exit(f"{name} stands in the code, and comes back at every start. Change it there.")
    try:
        return Entry.from_key(Entry.generate_key(app, name), app=app)
    except KeyError:
        sys.exit(f"There is no entry {name}. See what there is:  python -m clock.entries list")


def when(every: float | None, cron: str | None) -> schedule | crontab:
    """The schedule that --every or --cron describes."""
    if every is not None and cron is None:
        try:
            return schedule(every, app=app)
        except (ValueError, OverflowError):
            sys.exit(f"--every {every}: write a number of seconds.")
    if cron is None or every is not None:
        sys.exit('Say when: --every 30 (seconds), or --cron "30 3 * * sun". One of them.')
    if len(cron.split()) != 5:
        sys.exit(f"--cron {cron!r}: write minute, hour, day, month and day of the week.")
    try:
        return crontab.from_string(" ".join(cron.split()))
    except Exception as error:
        sys.exit(f"--cron {cron!r}: {error}")


def save(entry: Entry) -> None:
    """Write an entry to Redis, unless something is wrong with it."""
    for what in check_entry(app, entry):
        sys.exit(f"{entry.name}: {what}")
    entry.save()
    tell(entry)


def tell(entry: Entry) -> None:
    """Print one line about an entry."""
    state = "paused"
    if entry.enabled:
        last = entry.last_run_at or entry.default_now()
        state = f"{next_run(entry.schedule, last).astimezone(app.timezone):%a %d %b %H:%M:%S}"
    place = "in the code" if entry.name in app.conf.beat_schedule else "in Redis"
    click.echo(f"{entry.name:15}  {state:19}  {place:11}  {entry.task}  {entry.schedule}")


class Commands(click.Group):
    """No command ends in a traceback because Redis is away."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except ConnectionError as error:
            sys.exit(f"Redis does not answer ({error}). Nothing has changed.")


def as_json(kind: type):
    def read(context: click.Context, parameter: click.Parameter, text: str):
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, kind):
            raise click.BadParameter(f"{text} is not JSON in {json.dumps(kind())}.")
        return value

    return read


every_option = click.option("--every", type=float, help="An interval in seconds.")
cron_option = click.option("--cron", help='Five fields: "30 3 * * *" is 3:30 at night.')
expires_option = click.option(
    "--expires", type=click.FloatRange(0, min_open=True), help="Throw away what waits longer."
)


@click.group(cls=Commands)
def main() -> None:
    """The schedule that RedBeat keeps in Redis."""


@main.command("list")
def show() -> None:
    """Show all entries, in the order in which they come."""
    keys = get_redis(app).zrange(redbeat.schedule_key, 0, -1)
    for key in keys:
        tell(Entry.from_key(key, app=app))
    if not keys:
        click.echo("There are no entries. Start RedBeat once, or add one.")


@main.command()
@click.argument("name")
@click.argument("task")
@every_option
@cron_option
@expires_option
@click.option("--args", default="[]", callback=as_json(list), help="Arguments, a JSON list.")
@click.option("--kwargs", default="{}", callback=as_json(dict), help="The same as an object.")
def add(name: str, task: str, every, cron, expires, args: list, kwargs: dict) -> None:
    """Send TASK from now on."""
    if not re.fullmatch(r"[\w-]+", name):
        sys.exit(f"{name!r} is no good name: use letters, digits, - and _.")
    key = Entry.generate_key(app, name)
    if name in app.conf.beat_schedule or get_redis(app).exists(key):
        sys.exit(f"There is an entry {name} already. Change it, or choose another name.")
    expires = expires or every  # what nobody took until the next one comes is thrown away
    options = {"expires": expires} if expires else {}
    save(Entry(name, task, when(every, cron), args, kwargs, options=options, app=app))


@main.command()
@click.argument("name")
@every_option
@cron_option
@expires_option
def change(name: str, every, cron, expires) -> None:
    """Give an entry another schedule."""
    entry = find(name)
    entry.schedule = when(every, cron)
    if expires or every:
        entry.options["expires"] = expires or every
    save(entry)


@main.command()
@click.argument("name")
def pause(name: str) -> None:
    """Keep an entry, but do not send it."""
    entry = find(name)
    entry.enabled = False
    save(entry)


@main.command()
@click.argument("name")
def resume(name: str) -> None:
    """Send it again, from now on. What it has missed stays missed."""
    entry = find(name)
    entry.enabled = True
    entry.reschedule(entry.default_now().astimezone(UTC))
    save(entry)


@main.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget an entry."""
    find(name).delete()
    click.echo(f"{name} is removed.")


if __name__ == "__main__":
    main()
