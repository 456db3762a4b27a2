"""`lab demo`: the main job of a chapter, with one pool process and then with several."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lab import chapters
from lab.bench import WORKER_READY, Bench, NoServer, Process, wait_until
from lab.chapters import Chapter, Demo
from lab.observe.drawing import figure
from lab.observe.timeline import Run, Timeline

# The job ends by itself when nothing moves; this is for a folder with ten thousand photos.
LONGEST = 3600.0


def show_demo(name: str, folder: Path | None, output: Path, console: Console) -> None:
    """Show the demo of the chapter with this name.

    Raises `click.ClickException` when something is in the way, with what can be done.
    """
    try:
        chapter = chapters.find(name)
    except chapters.NoChapter as error:
        raise click.ClickException(str(error)) from None
    if chapter.demo is None:
        raise click.ClickException(f"{chapter.name} has no demo.")
    if folder is not None and not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise click.ClickException(f"{folder} {what}.")
    if folder is not None and output.is_relative_to(folder):
        raise click.ClickException(
            f"The pictures would lie among your photos, in {output}, and be photos the next time.\n"
            "Choose another place:  --out FOLDER"
        )
    try:
        demonstrate(chapter, folder, output, console)
    except NoServer as error:
        raise click.ClickException(str(error)) from None
    except PermissionError as error:
        raise click.ClickException(
            f"{error.filename} cannot be written: {error.strerror}."
        ) from None


def demonstrate(chapter: Chapter, folder: Path | None, output: Path, console: Console) -> None:
    """Run the demo of a chapter and write its pictures into `output`.

    `folder` is the learner's input; without one, the chapter's sample is made.

    Raises `click.ClickException` when the job fails, with what the job said.
    """
    demo = chapter.demo
    assert demo is not None
    several = max(2, os.cpu_count() or 2)
    output.mkdir(parents=True, exist_ok=True)
    sample = output / "photos"
    console.print(f"[bold]{chapter.title}[/bold]")
    with ExitStack() as stack:
        with console.status("Starting two brokers and two workers ..."):
            # Each worker has a broker of its own, so that nobody takes the other's work. They
            # start side by side, and the idle one costs nothing.
            benches = [stack.enter_context(Bench(chapter.folder)) for _ in range(2)]
            if folder is None:
                making = benches[0].process("sample", words(demo.sample, sample, output))
            workers = [
                bench.worker(demo.app, concurrency=count, wait=False)
                for bench, count in zip(benches, (1, several), strict=True)
            ]
            for worker in workers:
                worker.wait_for(WORKER_READY, timeout=60)
        if folder is None:
            follow_sample(making, console)
        console.print(
            f"Broker: {benches[0].broker.description()}, one for each worker, on free ports.\n"
            f"Workers: [bold]celery -A {demo.app} worker[/bold] with 1 pool process, "
            f"and with {several}.\n",
            highlight=False,
        )
        read_once(folder or sample)
        timelines = []
        for bench, count in zip(benches, (1, several), strict=True):
            job = bench.process("job", words(demo.run, folder or sample, bench.folder))
            follow(bench, job, title(count), console)
            timelines.append((title(count), bench.timeline()))
        said = [line for line in job.log().splitlines() if line.startswith("Left out")]
        for line in said:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        shutil.copy(benches[1].folder / demo.picture, output / demo.picture)

    with console.status("Drawing the timeline ..."):
        figure(timelines).savefig(output / "timeline.png", dpi=150)
    conclude(timelines, demo, output, console)


def title(count: int) -> str:
    return "1 pool process, alone" if count == 1 else f"{count} pool processes, side by side"


def words(command: Iterable[str], input: Path, output: Path) -> list[str]:
    """A command of `lesson.toml`, with the folders put in. No shell ever sees them."""
    return [
        word.replace("{input}", str(input)).replace("{output}", str(output)) for word in command
    ]


def read_once(folder: Path) -> None:
    """Bring the input from the disk into memory, so that the first run has no colder start.

    More than a gigabyte would not stay there.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and os.access(path, os.R_OK)]
    if sum(path.stat().st_size for path in files) < 1_000_000_000:
        for path in files:
            path.read_bytes()


def follow_sample(making: Process, console: Console) -> None:
    with console.status("Drawing sample photos (only the first time) ..."):
        if making.wait(timeout=LONGEST) != 0:
            raise click.ClickException(making.log().strip())
    console.print(making.log().strip(), highlight=False, soft_wrap=True)


def follow(bench: Bench, job: Process, title: str, console: Console) -> None:
    """Show what each pool process is doing until the job has ended.

    Raises `click.ClickException` when the job fails.
    """
    if console.is_terminal:
        with Live(console=console, refresh_per_second=10, transient=False) as live:

            def ended() -> bool:
                over = not job.running
                live.update(view(bench.timeline(), title, over))
                return over

            wait_until(ended, "the job did not end", timeout=LONGEST, log=job.log)
    if job.wait(LONGEST) != 0:
        raise click.ClickException(job.log().strip())
    if not console.is_terminal:
        console.print(f"{title}: {bench.timeline().span:.1f} s", highlight=False)


def view(timeline: Timeline, title: str, over: bool) -> Group:
    """The live view: a row per pool process, with what it runs now and what it has done."""
    table = Table.grid(padding=(0, 2))
    for process in timeline.processes:
        runs = timeline.of(process)
        done = [run for run in runs if run.ended is not None]
        busy = next((run for run in runs if run.ended is None), None)
        table.add_row(
            f"  pool process {process}",
            f"{len(done):4} done",
            Text(describe(busy), style="bold" if busy else "dim"),
        )
    finished = sum(run.state == "SUCCESS" for run in timeline.runs)
    total = max(len(timeline.sent), finished, 1)
    head = Table.grid(padding=(0, 2))
    head.add_row(
        f"[bold]{title}[/bold]",
        ProgressBar(total=total, completed=finished, width=30),
        f"{finished}/{total} tasks",
        f"{timeline.span:.1f} s",
    )
    return Group(head, table, Text()) if over else Group(head, table)


def describe(run: Run | None) -> str:
    if run is None:
        return "-"
    return f"{run.task.rpartition('.')[2]}  {run.label}"


def conclude(
    timelines: list[tuple[str, Timeline]], demo: Demo, output: Path, console: Console
) -> None:
    """The comparison, the files, and what to type next."""
    alone, together = (timeline.span for _, timeline in timelines)
    several = len(timelines[1][1].processes)
    photos = len(timelines[1][1].runs)
    console.print(
        f"One pool process needed [bold]{alone:.1f} s[/bold] for {photos} tasks, "
        f"{several} needed [bold]{together:.1f} s[/bold]: "
        f"[bold]{alone / together:.1f} times as fast[/bold].",
        highlight=False,
    )
    if not console.is_terminal:
        console.print(timelines[1][1].text(), markup=False, highlight=False)
    for file, what in (
        (demo.picture, "the job's result"),
        ("timeline.png", "which process did what, when"),
    ):
        console.print(f"  {shown(output / file)}  ({what})", highlight=False)
    console.print("\nNext:")
    if not shutil.which("lab"):
        activate = shown(Path(sys.prefix) / "bin" / "activate")
        console.print(f"  source {activate}    makes `lab` a command", highlight=False)
    for line in demo.then:
        console.print(f"  {line}", markup=False, highlight=False)


def shown(path: Path) -> str:
    """A path as a learner would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
