"""`lab start`, `check`, `watch`, `hint`, `solution`: exercises.

Without a name, each of them means the exercise whose folder we are in.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from lab.course import exercises
from lab.course.exercises import Exercise


def exercise_here(name: str | None) -> Exercise:
    """The exercise with this name; without one, that of the folder we are in."""
    try:
        return exercises.find(name) if name else exercises.of_folder(Path.cwd())
    except exercises.NoExercise as error:
        raise click.ClickException(str(error)) from None


def start(name: str | None, console: Console) -> None:
    """Show the task, and copy the starter to where the learner works."""
    exercise = exercise_here(name)
    console.print(Markdown((exercise.folder / "README.md").read_text()))
    folder = exercise.start()
    console.print(f"\nYour files are in {folder}", highlight=False, soft_wrap=True)
    console.print(f"When you think they are right:  lab check {exercise.name}", highlight=False)


def check(name: str | None, console: Console) -> bool:
    """Say whether the learner's files are right, and return it."""
    return verdict(exercise_here(name), console)


def verdict(exercise: Exercise, console: Console) -> bool:
    """Print whether the learner's files are right."""
    if not exercise.work.exists():
        raise click.ClickException(f"Start it first:  lab start {exercise.name}")
    wrong = exercise.check(exercise.work)
    if wrong is None:
        click.secho("Right.", fg="green", bold=True)
        click.echo(f"Compare with ours:  lab solution {exercise.name}")
    else:
        click.secho("Not yet.", fg="yellow", bold=True)
        console.print(f"{wrong}\nStuck?  lab hint {exercise.name}", markup=False, highlight=False)
    return wrong is None


def watch(name: str | None, console: Console) -> None:
    """Check now, and again after every save, until Ctrl-C."""
    from watchfiles import PythonFilter
    from watchfiles import watch as changes

    exercise = exercise_here(name)
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
        verdict(exercise, console)
        click.echo("\nWaiting for you to save ... (Ctrl-C ends this)")


def hint(name: str | None, console: Console) -> None:
    """Show one more hint."""
    exercise = exercise_here(name)
    number, text = exercise.next_hint()
    last = ", the last one" if number == len(exercise.hints) else ""
    click.echo(f"Hint {number} of {len(exercise.hints)}{last}\n")
    console.print(Markdown(text))


def solution(name: str | None, console: Console) -> None:
    """Show our answer.

    Raises `click.ClickException` when the learner's is not right yet.
    """
    exercise = exercise_here(name)
    if not exercise.work.exists() or exercise.check(exercise.work) is not None:
        raise click.ClickException(
            f"The answer appears when yours is right:  lab check {exercise.name}\n"
            f"If you are stuck:  lab hint {exercise.name}"
        )
    for file in sorted(exercise.solution.glob("*.py")):
        console.print(f"[bold]{file.name}[/bold]")
        console.print(Syntax(file.read_text(), "python", background_color="default"))
