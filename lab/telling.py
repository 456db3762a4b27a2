"""`lab run`: an experiment, told in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from lab.experiments import Experiment, Outcome, Row

LETTERS = "abc"


def show_list(experiments: Sequence[Experiment], console: Console) -> None:
    """The list of experiments, with the question of each."""
    table = Table()
    table.add_column("experiment", no_wrap=True)  # a name is there to be copied
    table.add_column("question")
    for experiment in experiments:
        table.add_row(experiment.name, experiment.story["title"])
    console.print(table)
    console.print("Run one:  lab run NAME")


def tell(
    experiment: Experiment, console: Console, options: Mapping[str, int] | None = None
) -> Outcome:
    """Ask for a prediction, run it, and show what happened, why, and what to do about it.

    Without a terminal nothing is asked.
    """
    story = experiment.story
    console.rule(Text(story["title"]))
    console.print(Markdown(story["Question"]))
    console.print()
    for letter, choice in zip(LETTERS, experiment.choices, strict=True):
        console.print(Markdown(f"**{letter})** {choice}"))
    prediction = None
    if console.is_terminal:
        answer = click.prompt("\nYour prediction", type=click.Choice(list(LETTERS)))
        prediction = LETTERS.index(answer)
    begin = "Running it, with real processes ..."
    with console.status(begin) as status:
        outcome = experiment.run(options, lambda text: status.update(f"{begin}\n  {escape(text)}"))
    for diff in outcome.diffs:
        console.print("\n[bold]What was changed[/bold]")
        console.print(Syntax(diff.rstrip(), "diff", background_color="default"))
    console.print()
    console.print(table_of(outcome.rows))
    if prediction is not None:
        show_verdict(experiment, prediction, console)
    console.print("\n[bold]What is true[/bold]")
    show_claims(outcome, console)
    for part in ("Why", "Fix"):
        console.print(f"\n[bold]{part}[/bold]")
        console.print(Markdown(story[part]))
    return outcome


def table_of(rows: Sequence[Row]) -> Table:
    """The rows of an experiment, a column for each key."""
    table = Table()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for column in columns:
        table.add_column(column, overflow="fold")  # what is long goes on below, and is not cut
    for row in rows:
        table.add_row(*(Text(cell(row.get(column, ""))) for column in columns))
    return table


def cell(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def show_claims(outcome: Outcome, console: Console) -> None:
    """Each claim, ticked or crossed."""
    marks = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "-"}
    for claim in outcome.claims:
        left_out = "  (left out: this machine is busy)" if claim.holds is None else ""
        console.print(marks[claim.holds], Text(f"{claim.sentence}{left_out}"))


def show_verdict(experiment: Experiment, prediction: int, console: Console) -> None:
    """Whether the prediction came true."""
    if prediction == experiment.answer:
        console.print("\n[bold green]Your prediction was right.[/bold green]")
    else:
        letter, choice = LETTERS[experiment.answer], experiment.choices[experiment.answer]
        console.print(f"\n[bold]Not this time.[/bold] What happened is {letter}:")
        console.print(Markdown(choice))
