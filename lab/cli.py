"""The command `lab`."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from lab.exercises import Exercise

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
    from lab import chapters
    from lab.broker import NoServer
    from lab.demo import demonstrate

    try:
        found = chapters.find(chapter)
    except chapters.NoChapter as error:
        raise click.ClickException(str(error)) from None
    if found.demo is None:
        raise click.ClickException(f"{found.name} has no demo.")
    if folder is not None and not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise click.ClickException(f"{folder} {what}.")
    if folder is not None and out.is_relative_to(folder):
        raise click.ClickException(
            f"The pictures would lie among your photos, in {out}, and be photos the next time.\n"
            "Choose another place:  --out FOLDER"
        )
    try:
        demonstrate(found, folder, out, make_console())
    except NoServer as error:
        raise click.ClickException(str(error)) from None
    except PermissionError as error:
        raise click.ClickException(
            f"{error.filename} cannot be written: {error.strerror}."
        ) from None


@main.command()
def doctor() -> None:
    """Say what is here, what is missing and how to install it."""
    from lab.doctor import examine

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
    from lab.foreground import run_broker

    run_broker(port)


@main.command()
@click.option("--watch", is_flag=True, help="Look again every second, until Ctrl-C.")
@click.option("--url", envvar=["CELERY_BROKER_URL", "REDIS_URL"], default=DEFAULT_URL)
def xray(watch: bool, url: str) -> None:
    """Show what Redis holds: queues, messages taken and not acknowledged, results."""
    from redis import Redis
    from redis.exceptions import RedisError
    from rich.live import Live

    from lab.xray import Xray

    console = make_console()
    try:
        client = Redis.from_url(url, decode_responses=True, socket_connect_timeout=3)
        if not watch:
            console.print(Xray.of(client))
            return
        with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                live.update(Xray.of(client), refresh=True)
                threading.Event().wait(1)
    except KeyboardInterrupt:
        pass
    except (RedisError, ValueError) as error:
        raise click.ClickException(
            f"No Redis answers at {url} ({error}).\n"
            "Start the course's broker in another terminal:  lab broker"
        ) from None


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
    from contextlib import nullcontext

    from lab import experiments, proving, telling

    console = make_console()
    if name is None and not everything:
        telling.show_list(experiments.all_experiments(), console)
        return
    try:
        chosen = [experiments.find(name)] if name else experiments.all_experiments()
        options = chosen[0].numbers(words) if name else {}
    except (experiments.NoExperiment, experiments.NoSuchOption) as error:
        raise click.ClickException(str(error)) from None
    with proving.all_cores_busy() if busy else nullcontext():
        if as_json:
            good = proving.print_json(chosen, options)
        elif everything or times > 1 or busy:
            good = proving.prove(chosen, times, console, options)
        else:
            good = telling.tell(chosen[0], console, options).holds
    sys.exit(0 if good else 1)


@main.command()
@click.argument("text", nargs=-1)
def error(text: tuple[str, ...]) -> None:
    """Say what a message means. TEXT may be a whole traceback or log, or come through a pipe."""
    from rich.markdown import Markdown

    from lab import errors

    if not text and sys.stdin.isatty():
        raise click.UsageError('Give the message:  lab error "TEXT"  or  lab error < worker.log')
    said = " ".join(text) if text not in ((), ("-",)) else sys.stdin.read()
    found = errors.find(said)
    if not found:
        raise click.ClickException(
            "The catalogue has no such message. Look through it in tutorials/errors.md with fewer "
            "words. To see where your task is:  lab xray"
        )
    best, *others = found[:3]
    console = make_console()
    console.print(Markdown(f"# {best.title}\n\n{best.markdown()}\n\nSee it: {best.see}"))
    if others:
        console.print("\nIt could also be:")
    for other in others:
        console.print(f"  {other.title}", highlight=False, markup=False)


def exercise_here(name: str | None) -> Exercise:
    """The exercise with this name; without one, that of the folder we are in."""
    from lab import exercises

    try:
        return exercises.find(name) if name else exercises.of_folder(Path.cwd())
    except exercises.NoExercise as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.argument("name", required=False)
def start(name: str | None) -> None:
    """Start the exercise NAME: a copy of your own to work on."""
    from rich.markdown import Markdown

    exercise = exercise_here(name)
    console = make_console()
    console.print(Markdown((exercise.folder / "README.md").read_text()))
    folder = exercise.start()
    console.print(f"\nYour files are in {folder}", highlight=False, soft_wrap=True)
    console.print(f"When you think they are right:  lab check {exercise.name}", highlight=False)


@main.command()
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Say whether your answer is right, with a real worker."""
    sys.exit(0 if verdict(exercise_here(name)) else 1)


def verdict(exercise: Exercise) -> bool:
    """Print whether the learner's files are right."""
    if not exercise.work.exists():
        raise click.ClickException(f"Start it first:  lab start {exercise.name}")
    wrong = exercise.check(exercise.work)
    if wrong is None:
        click.secho("Right.", fg="green", bold=True)
        click.echo(f"Compare with ours:  lab solution {exercise.name}")
    else:
        click.secho("Not yet.", fg="yellow", bold=True)
        make_console().print(
            f"{wrong}\nStuck?  lab hint {exercise.name}", markup=False, highlight=False
        )
    return wrong is None


@main.command()
@click.argument("name", required=False)
def watch(name: str | None) -> None:
    """Check again after every save, until Ctrl-C."""
    from watchfiles import PythonFilter
    from watchfiles import watch as changes

    exercise = exercise_here(name)
    console = make_console()
    begun = False
    # It comes round every half second, saved or not. The first time, whatever is saved from now on
    # is noticed: it is checked then for the first time.
    for saved in changes(
        exercise.work,
        watch_filter=PythonFilter(),
        rust_timeout=500,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        if not saved and begun:
            continue
        if saved:
            names = ", ".join(sorted({Path(path).name for _, path in saved}))
            console.rule(f"{time.strftime('%H:%M:%S')}, {names} saved")
        begun = True
        verdict(exercise)
        click.echo("\nWaiting for you to save ... (Ctrl-C ends this)")


@main.command()
@click.argument("name", required=False)
def hint(name: str | None) -> None:
    """Give one more hint."""
    from rich.markdown import Markdown

    exercise = exercise_here(name)
    number, text = exercise.next_hint()
    last = ", the last one" if number == len(exercise.hints) else ""
    click.echo(f"Hint {number} of {len(exercise.hints)}{last}\n")
    make_console().print(Markdown(text))


@main.command()
@click.argument("name", required=False)
def solution(name: str | None) -> None:
    """Show our answer, once yours is right."""
    from rich.syntax import Syntax

    exercise = exercise_here(name)
    if not exercise.work.exists() or exercise.check(exercise.work) is not None:
        raise click.ClickException(
            f"The answer appears when yours is right:  lab check {exercise.name}\n"
            f"If you are stuck:  lab hint {exercise.name}"
        )
    console = make_console()
    for file in sorted(exercise.solution.glob("*.py")):
        console.print(f"[bold]{file.name}[/bold]")
        console.print(Syntax(file.read_text(), "python", background_color="default"))


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port. Without it, a free one.")
@click.option("--browser/--no-browser", default=True, help="Open it in your browser.")
def notebook(port: int | None, browser: bool) -> None:
    """Open the notebooks of the course in JupyterLab, until Ctrl-C."""
    from lab.notebooks import run_jupyter

    run_jupyter(port, browser)


if __name__ == "__main__":
    main()
