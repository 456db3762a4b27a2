"""Experiments: one file, one question. Predict, break it, see it, understand it, fix it.

An experiment is a module in the folder `experiments/` of a chapter, named after its question:

- its docstring is the story, in Markdown, with the headings of `PARTS`. The prediction is a list of
  three choices, the right one marked with ``[x]``;
- ``run(bench)`` does it with real processes and returns rows: a list of small dicts, the table.
  Further parameters are numbers with a default, and options of `lab run`: ``--orders 1000``;
- ``claims(rows)`` returns a dict of sentences and truth values. The tests demand every one;
- ``MESSAGES``, where a message is the lesson, are the texts as Celery prints them, with ``...``
  for what varies. Each must stand in the column "message" of a row; how its lines are broken
  does not matter. They are entries of the error catalogue: see `lab.errors`;
- ``BROKER``, where the broker has to be another one, are settings of the server: see `lab.broker`.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from lab import chapters
from lab.bench import Bench
from lab.messages import says

PARTS = ("Question", "Predict", "Why", "Fix")
Row = Mapping[str, Any]


class NoExperiment(LookupError):
    """There is no such experiment."""


class NotAnExperiment(ValueError):
    """A file in `experiments/` lacks something that an experiment has."""


class NoSuchOption(ValueError):
    """An experiment does not have this option, or its value is not a number."""


class needs_idle_cores(str):
    """A claim about speed, which only an idle machine can keep. Elsewhere it is left out."""


@dataclass(frozen=True)
class Claim:
    """A sentence and whether it is true. `None`: the machine was too busy to say."""

    sentence: str
    holds: bool | None


@dataclass(frozen=True)
class Outcome:
    """What an experiment found. `diffs` are the changes it made to copies of the example."""

    rows: Sequence[Row]
    claims: Sequence[Claim]
    diffs: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether no claim is false."""
        return all(claim.holds is not False for claim in self.claims)


@dataclass(frozen=True)
class Experiment:
    """One file in the folder `experiments/` of a chapter."""

    chapter: chapters.Chapter
    path: Path

    @property
    def name(self) -> str:
        """What `lab run` calls it: "01/four_causes_of_pending"."""
        return f"{self.chapter.number}/{self.path.stem}"

    @cached_property
    def module(self) -> ModuleType:
        return chapters.load(self.path)

    @cached_property
    def story(self) -> Mapping[str, str]:
        """The parts of the docstring: "title" and those of `PARTS`.

        Raises `NotAnExperiment`, whose message says what is missing.
        """
        return parts(self.module.__doc__ or "", PARTS, self.path)

    @property
    def choices(self) -> list[str]:
        """The three predictions to choose from."""
        return [text for _, text in self._choices]

    @property
    def answer(self) -> int:
        """The index of the right choice."""
        return [mark for mark, _ in self._choices].index("x")

    @cached_property
    def _choices(self) -> list[tuple[str, str]]:
        found = re.findall(r"^- \[([ x])\] (.+(?:\n  .+)*)", self.story["Predict"], re.M)
        if len(found) != 3 or [mark for mark, _ in found].count("x") != 1:
            raise NotAnExperiment(
                f"{self.path}: the part Predict needs three choices, each on a line that begins "
                "with '- [ ] ', and the right one with '- [x] '."
            )
        return [(mark, re.sub(r"\n\s+", " ", text)) for mark, text in found]

    @property
    def messages(self) -> Sequence[str]:
        """The messages it teaches, as Celery prints them."""
        return tuple(getattr(self.module, "MESSAGES", ()))

    @property
    def options(self) -> Mapping[str, int]:
        """The options of its `run`, with their defaults."""
        _, *found = inspect.signature(self.module.run).parameters.values()
        return {parameter.name: parameter.default for parameter in found}

    def numbers(self, words: Sequence[str]) -> dict[str, int]:
        """Options as they are typed, ``["--orders", "1000"]``, for `run`.

        Raises `NoSuchOption`, whose message lists those there are.
        """
        given = dict(zip(words[::2], words[1::2], strict=False))
        numbers = {name[2:].replace("-", "_"): value for name, value in given.items()}
        if len(words) % 2 or not set(numbers) <= set(self.options):
            known = ", ".join(f"--{name} {value}" for name, value in self.options.items())
            what = f"{self.name} does not understand {' '.join(words)!r}."
            raise NoSuchOption(f"{what} It has {f'these options: {known}' if known else 'none'}.")
        for value in numbers.values():
            if not value.isdecimal():
                raise NoSuchOption(f"{value!r} is not a number.")
        return {name: int(value) for name, value in numbers.items()}

    def run(
        self,
        options: Mapping[str, int] | None = None,
        show: Callable[[str], None] = lambda text: None,
    ) -> Outcome:
        """Do it, on a bench of its own. `show` is told how far it is, if it takes long."""
        fast = hasattr(self.module, needs_idle_cores.__name__)  # it has claims about speed
        idle = cores_are_idle() and (not fast or cores_are_whole())
        special = getattr(self.module, "BROKER", None)
        bench = Bench(self.chapter.folder, broker_options=special, show=show)
        with bench, OtherWork(bench) as others:
            rows = self.module.run(bench, **(options or {}))
            # Here it can import what the experiments of a chapter share.
            found = self.module.claims(rows)
            diffs = list(bench.diffs)
        idle = idle and others.most < BUSY and (not fast or cores_are_whole())
        claims = [
            Claim(str(sentence), None if speed(sentence) and not idle else bool(truth))
            for sentence, truth in found.items()
        ]
        for message in self.messages:
            seen = any(says(str(row.get("message")), message) for row in rows)
            claims.append(Claim(f"the message is: {message}", seen))
        return Outcome(rows, claims, diffs)


def parts(text: str, headings: Sequence[str], path: Path) -> Mapping[str, str]:
    """The parts of a docstring in Markdown: "title" and those under its headings.

    Raises `NotAnExperiment`, whose message says what is missing.
    """
    pieces = re.split(r"^## (.+)$", text, flags=re.M)
    story = {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    if tuple(story) != tuple(headings):
        raise NotAnExperiment(
            f"{path}: its docstring has the headings {list(story)}. "
            f"It needs '## ' headings in this order: {', '.join(headings)}."
        )
    return {"title": pieces[0].strip().removeprefix("# "), **story}


def speed(sentence: str) -> bool:
    return isinstance(sentence, needs_idle_cores)


BUSY = 0.25  # the share of the machine from which on speed says nothing


class OtherWork:
    """Looks every second how much of the machine is used by others than a bench and this process.

    `most` is the largest share seen, from 0 to 1. Without ``/proc`` (macOS) it stays 0.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> OtherWork:
        if Path("/proc/stat").exists():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _look(self) -> None:
        ours, (busy, total) = self._ours(), _busy_and_total()
        while not self._done.wait(1):
            ours_now, (busy_now, total_now) = self._ours(), _busy_and_total()
            mine = sum(used - ours.get(pid, 0) for pid, used in ours_now.items())
            share = (busy_now - busy - mine) / max(total_now - total, 1)
            self.most = max(self.most, share)
            ours, busy, total = ours_now, busy_now, total_now

    def _ours(self) -> dict[int, int]:
        """For each process of ours the time it has computed, in ticks. A process of the bench
        and its children share a group."""
        groups = {process.pid for process in self.bench.processes}
        used = {}
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = file.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended between the two looks
            pid = int(file.parent.name)
            if int(words[2]) in groups or pid == os.getpid():
                used[pid] = int(words[11]) + int(words[12])
        return used


def cores_are_idle() -> bool:
    """Whether at most a quarter of the machine is at work, measured for a quarter of a second.

    Without ``/proc`` (macOS) it is the load of the last minute that counts.
    """
    try:
        first = _busy_and_total()
        time.sleep(0.25)
        second = _busy_and_total()
    except FileNotFoundError:
        return os.getloadavg()[0] < (os.cpu_count() or 1) * BUSY
    busy, total = (after - before for before, after in zip(first, second, strict=True))
    return busy < max(total, 1) * BUSY


COUNT = """
import time
begun = time.perf_counter()
sum(number * number for number in range(3_000_000))
print(time.perf_counter() - begun)
"""


def cores_are_whole() -> bool:
    """Whether a process on each core computes nearly as fast as one process alone.

    On a virtual machine it may not: a core can be half of one, and who else uses the other half
    is not seen from inside.
    """

    def slowest(processes: int) -> float:
        command = [sys.executable, "-c", COUNT]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(processes)]
        return max(float(process.communicate()[0]) for process in started)

    cores = os.cpu_count() or 1
    # It changes from one moment to the next.
    return all(slowest(cores) < 1.4 * slowest(1) for _ in range(3))


def _busy_and_total() -> tuple[int, int]:
    times = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)


def all_experiments() -> list[Experiment]:
    """Every experiment of the course, chapter by chapter, in the order of their names."""
    return [
        Experiment(chapter, path)
        for chapter in chapters.all_chapters()
        for path in sorted(chapter.folder.glob("experiments/*.py"))
    ]


def find(name: str) -> Experiment:
    """The experiment with this name: "01/four_causes_of_pending", or its end if only one has it.

    Raises `NoExperiment`, whose message lists what is near.
    """
    every = all_experiments()
    exact = [each for each in every if each.name == name]
    near = exact or [each for each in every if name in each.name]
    if len(near) == 1:
        return near[0]
    names = "\n".join(f"  {each.name}" for each in near or every)
    what = "Several experiments match" if near else "There is no experiment"
    raise NoExperiment(f"{what} {name!r}. Choose one:\n{names}")
