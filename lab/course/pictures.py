"""Pictures for those who read a notebook."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.bench import Bench, wait_until
from lab.observe.drawing import figure
from lab.observe.timeline import Timeline

if TYPE_CHECKING:
    from IPython.display import Image


def picture(*parts: tuple[str, Timeline]) -> Image:
    """Several timelines above one another, on one axis of time, each with a title.

    The rows have small numbers here, and the name of their worker where there are several. The
    numbers of processes are others each time.
    """
    from IPython.display import Image

    drawn = io.BytesIO()
    picture = figure([(title, with_short_names(timeline)) for title, timeline in parts])
    picture.savefig(drawn, dpi=140, metadata={"Software": None})
    return Image(drawn.getvalue(), width=1000)  # type: ignore[no-untyped-call]


def photo(path: Path) -> Image:
    """A picture file, small enough for a notebook."""
    from IPython.display import Image
    from PIL import Image as Pillow

    drawn = io.BytesIO()
    with Pillow.open(path) as large:
        large.thumbnail((800, 800))
        large.convert("RGB").save(drawn, "JPEG", quality=80)
    return Image(drawn.getvalue())  # type: ignore[no-untyped-call]


def timeline_of(bench: Bench, results: Iterable[Any] = (), timeout: float = 60.0) -> Timeline:
    """Wait for the results of tasks, and return what the bench has seen so far.

    A task that failed is no error here. Raises `TooLate` when one has not ended in time.
    """
    for result in results:
        result.get(timeout=timeout, propagate=False)

    def complete() -> Timeline | None:
        timeline = bench.timeline()
        return None if any(run.ended is None for run in timeline.runs) else timeline

    # A result is there a moment before its task has written down that it has ended.
    return wait_until(complete, "a task has not ended", timeout=timeout)


def only(timeline: Timeline, task: str) -> Timeline:
    """What one task did. `task` is the last part of its name."""
    runs = [run for run in timeline.runs if run.task.rpartition(".")[2] == task]
    ids = {run.id for run in runs}
    sent = {id: times for id, times in timeline.sent.items() if id in ids}
    return replace(timeline, runs=runs, sent=sent)


def with_short_names(timeline: Timeline) -> Timeline:
    """The same timeline, its rows in the order of their workers and named after them."""
    workers = {run.process: run.worker.partition("@")[0] for run in timeline.runs}
    rows = sorted(timeline.processes, key=lambda row: workers.get(row, "~"))
    several = len(set(workers.values())) > 1
    names: dict[str, str] = {}
    for row in rows:
        siblings = [each for each in rows if workers.get(each) == workers.get(row)]
        number = str(siblings.index(row) + 1) if len(siblings) > 1 or not several else ""
        names[row] = f"{number} of {workers.get(row, 'another')}".strip() if several else number
    runs = [replace(run, process=names[run.process]) for run in timeline.runs]
    return replace(timeline, runs=runs, processes=[names[row] for row in rows])
