"""What ran where and when: the records of a bench, as data and as text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from lab.observe.records import read_records

# How a bar ends: its letter in the text, its hatch in the picture, its words in the legend.
ENDINGS = {
    "SUCCESS": ("", "", ""),
    "FAILURE": ("!", "xxx", "failed"),
    "RETRY": ("~", "///", "will be retried"),
    "cut off": ("?", "...", "cut off: its process died"),
    "running": (">", "", "still running"),
}


@dataclass
class Run:
    """One attempt of a task in a pool process.

    Times are seconds since the first record. `ended` is `None` while it runs. `state` is how
    Celery names its end (SUCCESS, FAILURE, RETRY, ...), "cut off" when its process died before
    it could say so, "running" when it has not ended.
    """

    id: str
    task: str
    label: str
    worker: str
    process: str
    started: float
    ended: float | None = None
    state: str = "running"
    retries: int = 0
    redelivered: bool = False


@dataclass
class Timeline:
    """All that a bench recorded, in the order of time.

    `processes` are the rows of a picture: every pool process, in the order of birth. `sent` and
    `received` give for each task id the times at which it was sent and reached a worker.
    """

    runs: list[Run] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    sent: dict[str, list[float]] = field(default_factory=dict)
    received: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    origin: float = 0.0
    read_at: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> Timeline:
        """Read the records in a folder. Reading while they grow is fine."""
        timeline = cls()
        open_runs: dict[str, Run] = {}  # process -> what it runs now
        parents: dict[int, list[str]] = {}  # worker -> its processes
        births: dict[int, list[float]] = {}  # worker -> when its pool processes were born
        now = 0.0
        for entry in read_records(folder):
            timeline.origin = timeline.origin or entry["time"]
            timeline.read_at = time.monotonic() - timeline.origin
            now, event, id = entry["time"] - timeline.origin, entry["event"], entry.get("id", "")
            if event == "process":
                timeline._row(entry, parents)
                births.setdefault(entry["parent"], []).append(now)
            elif event in ("sent", "received"):
                getattr(timeline, event).setdefault(id, []).append(now)
            elif event == "started":
                row = timeline._row(entry, parents)
                run = Run(
                    id=id,
                    task=entry["task"],
                    label=entry["label"],
                    worker=entry["worker"],
                    process=row,
                    started=now,
                    retries=entry["retries"],
                    redelivered=entry["redelivered"],
                )
                if row in open_runs:
                    cut_off(open_runs.pop(row), now)
                open_runs[row] = run
                timeline.runs.append(run)
            elif event == "ended":
                row = timeline._row(entry, parents)
                if row in open_runs and open_runs[row].id == id:
                    run = open_runs.pop(row)
                    run.ended, run.state = now, entry["state"] or "cut off"
            elif event == "failed":
                timeline.errors[id] = entry["error"]
                for row, run in list(open_runs.items()):
                    if run.id == id and entry["pid"] in parents and row in parents[entry["pid"]]:
                        cut_off(open_runs.pop(row), now)
            elif event == "killed":
                for row in parents.get(entry["pid"], []):
                    if row in open_runs:
                        cut_off(open_runs.pop(row), now)
        # Nobody writes down the death of a pool process. The worker replaces it at once.
        for row, run in open_runs.items():
            if not psutil.pid_exists(int(row.partition(".")[0])):
                parent = next(pid for pid, rows in parents.items() if row in rows)
                later = (birth for birth in births.get(parent, []) if birth > run.started)
                cut_off(run, next(later, now))
        return timeline

    def _row(self, entry: Mapping[str, Any], parents: dict[int, list[str]]) -> str:
        """The row of the process that made this record.

        In a prefork pool the process number tells them apart; in a pool of threads, where all
        have the same number, the thread does.
        """
        row = f"{entry['pid']}"
        if entry["event"] != "process" and row not in self.processes:
            row = f"{entry['pid']}.{entry['thread'] % 10_000:04}"
        if row not in self.processes:
            self.processes.append(row)
        siblings = parents.setdefault(entry["parent"], [])
        if row not in siblings:
            siblings.append(row)
        return row

    # Numbers

    @property
    def end(self) -> float:
        """The time of the last end, in seconds: this moment, if something still runs."""
        return max((self.end_of(run) for run in self.runs), default=0.0)

    def end_of(self, run: Run) -> float:
        """When a run ended, or how far it has come."""
        return self.read_at if run.ended is None else run.ended

    @property
    def span(self) -> float:
        """Seconds from the first start of a task to the last end."""
        return self.end - min((run.started for run in self.runs), default=0.0)

    def of(self, process: str) -> list[Run]:
        """What one process ran."""
        return [run for run in self.runs if run.process == process]

    def waiting(self) -> list[tuple[float, int]]:
        """How many tasks had been sent and not started, as steps: (time, number)."""
        started: dict[str, list[float]] = {}
        for run in self.runs:
            started.setdefault(run.id, []).append(run.started)
        steps: list[tuple[float, int]] = []
        for id, times in self.sent.items():
            for left, start in zip(times, started.get(id, []) + [None] * len(times), strict=False):
                # The sender writes its line a moment after the message has left.
                steps.append((left if start is None else min(left, start), 1))
                if start is not None:
                    steps.append((start, -1))
        total, levels = 0, []
        # What is sent and started at one moment waits for no time, and never less than none.
        for moment, change in sorted(steps, key=lambda step: (step[0], -step[1])):
            total += change
            levels.append((moment, total))
        return levels

    # As text

    def text(self, width: int = 80) -> str:
        """One row per pool process, for a terminal. A letter per task, a mark for a bad end."""
        if not self.runs:
            return "Nothing ran.\n"
        letters = dict(zip(self.tasks, "abcdefghijklmnopqrstuvwxyz", strict=False))
        first = min(run.started for run in self.runs)
        scale = (width - 12) / max(self.span, 1e-9)
        lines = []
        for process in self.processes:
            row = [" "] * (width - 11)
            for run in self.of(process):
                begin = int((run.started - first) * scale)
                end = max(int((self.end_of(run) - first) * scale), begin + 1)
                letter = letters.get(run.task, "*")
                row[begin:end] = (letter.upper() if run.redelivered else letter) * (end - begin)
                if mark := ENDINGS.get(run.state, ENDINGS["cut off"])[0]:
                    row[end - 1] = mark
            lines.append(f"{process:>9} |{''.join(row).rstrip()}")
        lines.append(f"{'':>9}  0 s{f'{self.span:.1f} s':>{width - 14}}")
        lines += [f"{'':>9}  {letter} = {task}" for task, letter in letters.items()]
        if any(run.redelivered for run in self.runs):
            lines.append(f"{'':>9}  capital = delivered a second time")
        states = {run.state for run in self.runs}
        lines += [
            f"{'':>9}  {mark} = {words}"
            for state, (mark, _, words) in ENDINGS.items()
            if mark and state in states
        ]
        return "\n".join(lines) + "\n"

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks that ran, in the order of their first start."""
        return list(dict.fromkeys(run.task for run in self.runs))


def cut_off(run: Run, now: float) -> None:
    run.ended, run.state = now, "cut off"
