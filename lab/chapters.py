"""The chapters of the course, found by their `lesson.toml`."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TUTORIALS = ROOT / "tutorials"


class NoChapter(LookupError):
    """There is no such chapter."""


@dataclass(frozen=True)
class Demo:
    """What `lab demo` shows of a chapter: the table `[demo]` of its `lesson.toml`.

    `app` is what the worker runs (``celery -A app worker``). `sample` makes the input when the
    learner brings none, `run` does the job. Both are commands without a shell, in which
    ``{input}`` and ``{output}`` stand for folders. `picture` is the file in ``{output}`` that
    the job makes, `then` what a learner can type next.
    """

    app: str
    sample: Sequence[str]
    run: Sequence[str]
    picture: str
    then: Sequence[str]


@dataclass(frozen=True)
class Chapter:
    """A numbered folder of the course, as its `lesson.toml` describes it.

    `needs` names the programs it wants on the machine. `teach` and `practise` are minutes.
    `objectives` are what a learner can do in the end, `key_points` what to remember.
    """

    folder: Path
    title: str
    needs: Sequence[str]
    teach: int
    practise: int
    objectives: Sequence[str]
    key_points: Sequence[str]
    demo: Demo | None

    @property
    def name(self) -> str:
        """The name of the folder: "01-first-steps"."""
        return self.folder.name

    @property
    def number(self) -> str:
        """The two digits it begins with: "01"."""
        return self.name[:2]

    @property
    def pages(self) -> list[Path]:
        """Its pages: the lesson first."""
        lesson = self.folder / "README.md"
        return [lesson, *sorted(set(self.folder.glob("*.md")) - {lesson})]


def read(folder: Path) -> Chapter:
    """Read the `lesson.toml` of one chapter.

    Raises `TypeError` when a key is missing or unknown.
    """
    lesson: dict[str, Any] = tomllib.loads((folder / "lesson.toml").read_text())
    demo = lesson.pop("demo", None)
    return Chapter(
        folder=folder,
        demo=Demo(**demo) if demo else None,
        **lesson,
    )


def all_chapters() -> list[Chapter]:
    """Every chapter, in the order of its number."""
    return [read(lesson.parent) for lesson in sorted(ROOT.glob("[0-9][0-9]-*/lesson.toml"))]


def find(name: str) -> Chapter:
    """The chapter with this name or number: "01-first-steps", "01", "1".

    Raises `NoChapter`, whose message lists those there are.
    """
    chapters = all_chapters()
    for chapter in chapters:
        if name in (chapter.name, chapter.number, chapter.number.lstrip("0")):
            return chapter
    there_are = ", ".join(chapter.name for chapter in chapters) or "none yet"
    raise NoChapter(f"There is no chapter {name!r}. There are: {there_are}.")


def of_folder(folder: Path) -> Chapter:
    """The chapter that a folder is, or lies in. Raises `NoChapter`."""
    for chapter in all_chapters():
        if folder.is_relative_to(chapter.folder):
            return chapter
    raise NoChapter(f"{folder} belongs to no chapter.")


def import_file(path: Path) -> ModuleType:
    """The module in a file, wherever it lies. It is loaded again each time."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
