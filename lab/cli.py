"""The command `lab`: what can be typed. What a command does is in `lab.commands`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_URL = "redis://localhost:6379/0"


def make_console() -> Console:
    """A terminal gets colours and movement; a pipe gets plain lines, as wide as they are."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=100, color_system=None)


class Commands(click.Group):
    """In the order in which a learner needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands)
@click.version_option(package_name="celery-by-experiment", prog_name="lab")
def main() -> None:
    """Celery by experiment: real brokers, real workers, and a look at what they do."""
    # `kill` and a closed terminal end us as Ctrl-C does: with everything cleared away.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))


@main.command()
@click.argument(
    "folder",
    required=False,
    type=click.Path(resolve_path=True, path_type=Path),
)
@click.option("--chapter", default="01", show_default=True, help="Whose demo to show.")
@click.option(
    "--out",
    default="demo",
    show_default=True,
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    help="The folder for the pictures.",
)
def demo(folder: Path | None, chapter: str, out: Path) -> None:
    """Show the main job of a chapter, with your photos in FOLDER or with sample ones."""
    from lab.commands.demo import show_demo

    show_demo(chapter, folder, out, make_console())


@main.command()
def doctor() -> None:
    """Say what is here, what is missing and how to install it."""
    from lab.commands.doctor import examine

    sys.exit(0 if examine(make_console()) else 1)


@main.command()
@click.option(
    "--port",
    default=6379,
    show_default=True,
    type=click.IntRange(1, 65534),
    help="The port to listen on.",
)
def broker(port: int) -> None:
    """Run the course's broker in the foreground, until Ctrl-C."""
    from lab.commands.broker import run_broker

    run_broker(port)


@main.command()
@click.option("--watch", is_flag=True, help="Look again every second, until Ctrl-C.")
@click.option("--url", envvar=["CELERY_BROKER_URL", "REDIS_URL"], default=DEFAULT_URL)
def xray(watch: bool, url: str) -> None:
    """Show what Redis holds: queues, messages taken and not acknowledged, results."""
    from lab.commands.xray import show_xray

    show_xray(url, watch, make_console())


def in_zone(context: click.Context, parameter: click.Parameter, name: str) -> ZoneInfo | None:
    """The time zone with this name."""
    try:
        return ZoneInfo(name) if name else None
    except Exception:
        raise click.BadParameter(
            f"there is no time zone {name!r}. Zones are called after cities: Europe/Paris."
        ) from None


app_option = click.option("-A", "--app", required=True, help="The app, as for celery -A.")


@main.command()
@app_option
@click.option("--check", is_flag=True, help="Find what beat would meet badly.")
@click.option("--days", default=14, type=click.IntRange(1, 366), help="How far to look.")
@click.option("--zone", callback=in_zone, help="Show times in this zone. Default: the app's own.")
@click.option("--start", type=click.DateTime(), help="Begin then, and not now.")
@click.option("--out", type=click.Path(path_type=Path), help="Draw a picture into this file.")
def calendar(
    app: str,
    check: bool,
    days: int,
    zone: ZoneInfo | None,
    start: datetime | None,
    out: Path | None,
) -> None:
    """Show the coming runs of any Celery app, or check its schedule."""
    from lab.commands.calendar import check_calendar, show_calendar

    if check:
        check_calendar(app)
    else:
        show_calendar(app, days, zone, start, out)


@main.group(cls=Commands)
@app_option
@click.pass_context
def entries(context: click.Context, app: str) -> None:
    """Show and change the schedule that RedBeat keeps in Redis, while beat runs."""
    context.obj = app


def as_json(kind: type) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Read an option that is JSON of this kind."""

    def read(context: click.Context, parameter: click.Parameter, text: str) -> Any:
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


@entries.command("list")
@click.pass_obj
def list_entries(app: str) -> None:
    """Show all entries, in the order in which they come."""
    from lab.commands.entries import show_entries

    show_entries(app)


@entries.command()
@click.argument("name")
@click.argument("task")
@every_option
@cron_option
@expires_option
@click.option("--args", default="[]", callback=as_json(list), help="Arguments, a JSON list.")
@click.option("--kwargs", default="{}", callback=as_json(dict), help="The same as an object.")
@click.pass_obj
def add(app: str, /, **words: Any) -> None:
    """Send TASK from now on."""
    from lab.commands.entries import add_entry

    add_entry(app, **words)


@entries.command()
@click.argument("name")
@every_option
@cron_option
@expires_option
@click.pass_obj
def change(app: str, /, **words: Any) -> None:
    """Give an entry another schedule."""
    from lab.commands.entries import change_entry

    change_entry(app, **words)


@entries.command()
@click.argument("name")
@click.pass_obj
def pause(app: str, name: str) -> None:
    """Keep an entry, but do not send it."""
    from lab.commands.entries import pause_entry

    pause_entry(app, name)


@entries.command()
@click.argument("name")
@click.pass_obj
def resume(app: str, name: str) -> None:
    """Send it again, from now on. What it has missed stays missed."""
    from lab.commands.entries import resume_entry

    resume_entry(app, name)


@entries.command()
@click.argument("name")
@click.pass_obj
def remove(app: str, name: str) -> None:
    """Forget an entry."""
    from lab.commands.entries import remove_entry

    remove_entry(app, name)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE EXPERIMENT]")
@click.option("--all", "everything", is_flag=True, help="Run all of them, and ask nothing.")
@click.option("--times", default=1, show_default=True, help="How often each.")
@click.option("--busy", is_flag=True, help="Keep all cores busy meanwhile.")
@click.option("--json", "as_json", is_flag=True, help="Print rows and claims for other programs.")
def run(
    name: str | None,
    words: tuple[str, ...],
    everything: bool,
    times: int,
    busy: bool,
    as_json: bool,
) -> None:
    """Run the experiment NAME: predict, break it, see it, understand it, fix it."""
    from lab.commands.experiment import run_experiments

    good = run_experiments(
        name, words, make_console(), everything=everything, times=times, busy=busy, as_json=as_json
    )
    sys.exit(0 if good else 1)


@main.command()
@click.argument("text", nargs=-1)
def error(text: tuple[str, ...]) -> None:
    """Say what a message means. TEXT may be a whole traceback or log, or come through a pipe."""
    from lab.commands.error import explain

    if not text and sys.stdin.isatty():
        raise click.UsageError('Give the message:  lab error "TEXT"  or  lab error < worker.log')
    explain(" ".join(text) if text not in ((), ("-",)) else sys.stdin.read(), make_console())


@main.command()
@click.argument("name", required=False)
def start(name: str | None) -> None:
    """Start the exercise NAME: a copy of your own to work on."""
    from lab.commands.exercise import start

    start(name, make_console())


@main.command()
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Say whether your answer is right, with a real worker."""
    from lab.commands.exercise import check

    sys.exit(0 if check(name, make_console()) else 1)


@main.command()
@click.argument("name", required=False)
def watch(name: str | None) -> None:
    """Check again after every save, until Ctrl-C."""
    from lab.commands.exercise import watch

    watch(name, make_console())


@main.command()
@click.argument("name", required=False)
def hint(name: str | None) -> None:
    """Give one more hint."""
    from lab.commands.exercise import hint

    hint(name, make_console())


@main.command()
@click.argument("name", required=False)
def solution(name: str | None) -> None:
    """Show our answer, once yours is right."""
    from lab.commands.exercise import solution

    solution(name, make_console())


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port. Without it, a free one.")
@click.option("--browser/--no-browser", default=True, help="Open it in your browser.")
def notebook(port: int | None, browser: bool) -> None:
    """Open the notebooks of the course in JupyterLab, until Ctrl-C."""
    from lab.commands.notebook import run_jupyter

    run_jupyter(port, browser)


# For those who write the course


@main.command()
@click.argument("path", type=click.Path(exists=True, resolve_path=True, path_type=Path))
@click.option("--update", is_flag=True, help="Write what is printed into the page.")
def page(path: Path, update: bool) -> None:
    """Play a page of the course, the Markdown file PATH, as a learner would."""
    from lab.commands.page import play

    play(path, update)


@main.command()
@click.option("--check", is_flag=True, help="Write nothing, and name what is out of date.")
def tables(check: bool) -> None:
    """Write the tables and lists of the pages: experiments, exercises, key points, errors."""
    from lab.commands.tables import write

    write(check)


@main.command()
@click.argument("kind", type=click.Choice(["experiment", "exercise", "error"]))
@click.argument("name", metavar="CHAPTER/NAME")
def new(kind: str, name: str) -> None:
    """Make the files of a new experiment, exercise or error: experiment 03/the_question."""
    from lab.commands.author import new

    new(kind, name)


@main.group()
def dev() -> None:
    """Look at the course as those do who write it: dev check."""


@dev.command("check")
@click.argument("chapter", required=False)
def dev_check(chapter: str | None) -> None:
    """Say what is missing in the course, or in one CHAPTER. Nothing is run."""
    from lab.commands.author import check

    sys.exit(0 if check(chapter) else 1)


if __name__ == "__main__":
    main()
