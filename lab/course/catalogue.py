"""The error catalogue: what a message means, and what to do about it.

An entry comes from one of two places:

- an experiment that has ``MESSAGES``: its question is the title, Why and Fix are its own;
- a provoker: a small function in ``NN-chapter/errors/*.py``, decorated with ``@provokes(message,
  ...)``. Its docstring is Markdown: a title that a searcher understands, then ``## Why`` and
  ``## Fix``. It gets a bench, really does what goes wrong, and returns what was printed. All
  provokers of a file share one bench, which ``prepare(bench)``, if there is one, makes ready.

In a message ``...`` stands for what varies. The tests run every provoker: a message that this
Celery does not print any more turns them red. ``lab tables`` writes the
page `tutorials/errors.md`.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from lab import chapters
from lab.bench import Bench
from lab.course import experiments
from lab.course.matching import likeness, literal, says, words

Provoker = Callable[[Bench], str]
P = TypeVar("P", bound=Provoker)


@dataclass(frozen=True)
class Entry:
    """One error. `provoke` makes it happen; it is `None` where an experiment does."""

    name: str
    chapter: chapters.Chapter
    title: str
    messages: tuple[str, ...]
    why: str
    fix: str
    source: Path
    provoke: Provoker | None = None

    @property
    def see(self) -> str:
        """Where it can be seen to happen."""
        if self.provoke is None:
            return f"`lab run {self.name}`"
        return f"`{self.name.partition('/')[2]}` in `{self.chapter.name}/errors/{self.source.name}`"

    def markdown(self) -> str:
        """The entry without its title."""
        fences = "\n\n".join(f"```text\n{message}\n```" for message in self.messages)
        return f"{fences}\n\n**Why.** {self.why}\n\n**Fix.** {self.fix}"


def provokes(*messages: str) -> Callable[[P], P]:
    """Mark a function as a provoker of these messages."""

    def mark(provoke: P) -> P:
        provoke.messages = messages  # type: ignore[attr-defined]
        return provoke

    return mark


def raised(call: Callable[[], object]) -> str:
    """The traceback of a call, as Python prints it. An empty text when nothing is raised."""
    try:
        call()
    except Exception:
        return traceback.format_exc()
    return ""


# The entries


@cache
def all_entries() -> tuple[Entry, ...]:
    """Every entry of the course, chapter by chapter, in the order of their titles."""
    found = [of_experiment(each) for each in experiments.all_experiments() if each.messages]
    for chapter in chapters.all_chapters():
        for path in sorted(chapter.folder.glob("errors/*.py")):
            found += of_file(chapter, path)
    return tuple(sorted(found, key=lambda entry: (entry.chapter.name, entry.title.lower())))


def of_experiment(each: experiments.Experiment) -> Entry:
    story = each.story
    title, why, fix = story["title"], story["Why"], story["Fix"]
    return Entry(each.name, each.chapter, title, tuple(each.messages), why, fix, each.path)


def of_file(chapter: chapters.Chapter, path: Path) -> Iterator[Entry]:
    """The provokers of one file, in the order in which they stand there."""
    for name, provoke in vars(chapters.import_file(path)).items():
        if messages := getattr(provoke, "messages", None):
            story = experiments.parts(inspect.getdoc(provoke) or "", ("Why", "Fix"), path)
            title, why, fix = story["title"], story["Why"], story["Fix"]
            full_name = f"{chapter.number}/{name}"
            yield Entry(full_name, chapter, title, messages, why, fix, path, provoke)


def not_provoked(chapter: chapters.Chapter, path: Path) -> list[str]:
    """Run the provokers of one file. Returns what they did not bring about, a text for each."""
    wrong = []
    with Bench(chapter.folder) as bench:
        if prepare := getattr(chapters.import_file(path), "prepare", None):
            prepare(bench)
        for entry in of_file(chapter, path):
            assert entry.provoke is not None
            said = entry.provoke(bench)
            for message in entry.messages:
                if not says(said, message):
                    wrong.append(f"{entry.name} did not print:\n{message}\nIt printed:\n{said}")
    return wrong


def find(text: str) -> list[Entry]:
    """The entries that fit a text, the best first: a message, a traceback, or a whole log.

    First those with a message that stands in the text word for word. When there is none, those
    with a similar one.
    """
    # Some programs put a name before each line of a log: "worker-1  | ...".
    plain = words("\n".join(line.partition(" | ")[2] or line for line in text.splitlines()))

    def exact(message: str) -> int:
        return literal(message) if says(plain, message) else 0

    for measure in (exact, lambda message: likeness(message, plain)):
        found = [(max(map(measure, entry.messages)), entry) for entry in all_entries()]
        found = sorted((pair for pair in found if pair[0]), key=lambda pair: -pair[0])
        if found:
            return [entry for _, entry in found]
    return []
