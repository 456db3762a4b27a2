"""Experiments: one file, one question. Predict, break it, see it, understand it, fix it.

An experiment is a module in the folder `experiments/` of a chapter, named after its question:

- its docstring is the story, in Markdown, with the headings of `PARTS`. The prediction is a list of
  three choices, the right one marked with ``[x]``;
- ``run(bench)`` does it with real processes and returns rows: a list of small dicts, the table.
  Further parameters are numbers with a default, and options of `lab run`: ``--orders 1000``;
- ``claims(rows)`` returns a dict of sentences and truth values. The tests demand every one;
- ``MESSAGES``, where a message is the lesson, are the texts as Celery prints them, with ``...``
  for what varies. Each must stand in the column "message" of a row; how its lines are broken
  does not matter. They are entries of the error catalogue: see `lab.course.catalogue`;
- ``BROKER``, where the broker has to be another one, are settings of the server: see
  `lab.bench.broker`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from lab import chapters
from lab.bench import Bench
from lab.course.matching import says
from lab.machine import BUSY, OtherWork, cores_are_idle, cores_are_whole

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
        return chapters.import_file(self.path)

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
        # Whether the machine is idle matters to claims about speed, and to nothing else.
        fast = hasattr(self.module, needs_idle_cores.__name__)
        idle = fast and cores_are_idle() and cores_are_whole()
        special = getattr(self.module, "BROKER", None)
        bench = Bench(self.chapter.folder, broker_options=special, show=show)
        others = OtherWork(lambda: {process.pid for process in bench.processes})
        with bench, others if fast else nullcontext():
            rows = self.module.run(bench, **(options or {}))
            # Here it can import what the experiments of a chapter share.
            found = self.module.claims(rows)
            diffs = list(bench.diffs)
        idle = idle and others.most < BUSY and cores_are_whole()
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


def all_experiments() -> list[Experiment]:
    """Every experiment of the course, chapter by chapter."""
    return [each for chapter in chapters.all_chapters() for each in of_chapter(chapter)]


def of_chapter(chapter: chapters.Chapter) -> list[Experiment]:
    """The experiments of one chapter, in the order of their names."""
    return [Experiment(chapter, path) for path in sorted(chapter.folder.glob("experiments/*.py"))]


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
