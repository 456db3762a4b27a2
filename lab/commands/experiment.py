"""`lab run`: an experiment told in a terminal, or proved many times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from lab.course import experiments
from lab.course.experiments import Experiment, Outcome, Row
from lab.machine import all_cores_busy

LETTERS = "abc"


def run_experiments(
    name: str | None,
    words: Sequence[str],
    console: Console,
    *,
    everything: bool,
    times: int,
    busy: bool,
    as_json: bool,
) -> bool:
    """List the experiments, tell one, or prove one or all. Returns whether every claim held.

    `words` are options of the experiment, as they are typed.

    Raises `click.ClickException` when there is no such experiment, or no such option.
    """
    if name is None and not everything:
        show_list(experiments.all_experiments(), console)
        return True
    try:
        chosen = [experiments.find(name)] if name else experiments.all_experiments()
        options = chosen[0].numbers(words) if name else {}
    except (experiments.NoExperiment, experiments.NoSuchOption) as error:
        raise click.ClickException(str(error)) from None
    with all_cores_busy() if busy else nullcontext():
        if as_json:
            return print_json(chosen, options)
        if everything or times > 1 or busy:
            return prove(chosen, times, console, options)
        return tell(chosen[0], console, options).holds


def show_list(every: Sequence[Experiment], console: Console) -> None:
    """The list of experiments, with the question of each."""
    table = Table()
    table.add_column("experiment", no_wrap=True)  # a name is there to be copied
    table.add_column("question")
    for experiment in every:
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
    console.print(table_of(outcome.rows, console.width))
    if prediction is not None:
        show_verdict(experiment, prediction, console)
    console.print("\n[bold]What is true[/bold]")
    show_claims(outcome, console)
    for part in ("Why", "Fix"):
        console.print(f"\n[bold]{part}[/bold]")
        console.print(Markdown(story[part]))
    return outcome


def table_of(rows: Sequence[Row], room: int) -> Table:
    """The rows of an experiment, a column for each key, in a window of `room` columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[column, *(cell(row.get(column, "")) for row in rows)] for column in columns]
    widths = widths_of(cells, room - 3 * len(columns) - 1)
    wraps = any(
        width < max(map(len, texts), default=0)
        for width, (_heading, *texts) in zip(widths, cells, strict=True)
    )
    table = Table(show_lines=wraps)  # without lines, rows that wrap run into each other
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width, overflow="fold")
    for row in zip(*(texts[1:] for texts in cells), strict=True):
        table.add_row(*map(Text, row))
    return table


def widths_of(cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column is. No word is broken where there is room for the longest ones."""
    widths = [max(len(word) for text in texts for word in text.split() or "-") for texts in cells]
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    for first in (1, 0):  # room for what stands in the rows, and then for their headings
        whole = [max(map(len, texts[first:]), default=0) for texts in cells]
        while narrow := [n for n, width in enumerate(widths) if width < whole[n]]:
            if sum(widths) >= room:
                break
            widths[min(narrow, key=lambda n: widths[n] / whole[n])] += 1
    return widths


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


# Do the claims hold every time?


def prove(
    chosen: Sequence[Experiment],
    times: int,
    console: Console,
    options: Mapping[str, int] | None = None,
) -> bool:
    """Run each experiment so many times. Returns whether every claim held every time."""
    good = True
    for experiment in chosen:
        for attempt in range(1, times + 1):
            outcome = experiment.run(options)
            wrong = [claim.sentence for claim in outcome.claims if claim.holds is False]
            left_out = sum(claim.holds is None for claim in outcome.claims)
            count = f"{len(outcome.claims) - left_out - len(wrong)} claims hold"
            count += f", {left_out} left out on a busy machine" if left_out else ""
            said = f"{experiment.name}  {attempt}/{times}: {count}"
            console.print(said, highlight=False, soft_wrap=True)
            for sentence in wrong:
                good = False
                console.print(f"  NOT TRUE: {sentence}", style="red", markup=False, soft_wrap=True)
                console.print(str(outcome.rows), markup=False, soft_wrap=True)
    return good


def print_json(chosen: Sequence[Experiment], options: Mapping[str, int] | None = None) -> bool:
    """Print a list: per experiment its name, rows and claims. Returns whether all claims hold."""
    found: list[dict[str, Any]] = []
    for experiment in chosen:
        outcome = experiment.run(options)
        claims = [asdict(claim) for claim in outcome.claims]
        found.append({"name": experiment.name, "rows": outcome.rows, "claims": claims})
    click.echo(json.dumps(found, indent=2, default=str))
    return all(claim["holds"] is not False for each in found for claim in each["claims"])
