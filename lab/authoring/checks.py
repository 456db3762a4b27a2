"""What is missing in a chapter, each a sentence with the file and what to do.

Nothing is run here but the import of a file: these checks take seconds. The tests make the same
ones, and then run everything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from lab import chapters
from lab.authoring import tables
from lab.authoring.pages import directions
from lab.authoring.pages.fences import Page
from lab.course import catalogue, exercises, experiments
from lab.course.exercises import Exercise
from lab.course.experiments import Experiment, NotAnExperiment

# What stands in a chapter's folder beside the example.
FILES = ("README.md", "lesson.toml", "requirements.txt")
FOLDERS = ("tests", "experiments", "errors", "exercises", "solutions")
MISTAKES = chapters.ROOT / "tests" / "test_exercises.py"
TABLES = ("objectives", "experiments", "tasks", "key_points")


def of_chapter(chapter: chapters.Chapter) -> Iterator[str]:
    """What is missing in a chapter and in everything that lies in it."""
    for name in FILES + FOLDERS:
        if not (chapter.folder / name).exists():
            yield f"{place(chapter.folder / name)}: it is missing. See CONTRIBUTING.md."
    yield from strays(chapter)
    for experiment in experiments.of_chapter(chapter):
        yield from of_experiment(experiment)
    for path in sorted(chapter.folder.glob("errors/*.py")):
        yield from of_errors(chapter, path)
    for exercise in exercises.of_chapter(chapter):
        yield from of_exercise(exercise)
    yield from of_minutes(chapter)
    yield from of_tables(chapter)


def place(path: Path) -> str:
    """A path as an author types it."""
    return str(path.relative_to(chapters.ROOT) if path.is_relative_to(chapters.ROOT) else path)


def strays(chapter: chapters.Chapter) -> Iterator[str]:
    """Files that nobody looks at, where they lie."""
    for path in inside(chapter.folder / "experiments") + inside(chapter.folder / "errors"):
        if path.suffix != ".py" and path.name != "shared":
            yield (
                f"{place(path)}: a stray file. Here are Python files, and what several of them "
                "need, in `shared`: move or delete it."
            )
    known = {each.folder.name for each in exercises.of_chapter(chapter)}
    for path in inside(chapter.folder / "exercises"):
        if path.name not in known:
            yield f"{place(path)}: a stray file. An exercise is a folder like 1_short_name."
    for path in inside(chapter.folder / "solutions"):
        if path.name not in known:
            yield f"{place(path)}: it solves no exercise. Rename or delete it."


def inside(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.name != "__pycache__")


def todos(path: Path) -> Iterator[str]:
    """What `lab new` has left to do in a file."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := re.search(r'TODO[^"]*', line):
            todo = found[0].strip()
            yield f"{place(path)}:{number}: {todo}{'' if todo.endswith(('.', '?')) else ' ...'}"


# The parts of a chapter


def of_experiment(experiment: Experiment) -> Iterator[str]:
    """What an experiment lacks."""
    path = experiment.path
    yield from todos(path)
    try:
        if not experiment.story["title"].endswith("?"):
            yield f"{place(path)}: its title is no question. End it with a question mark."
        _ = experiment.choices
    except NotAnExperiment as error:
        yield str(error).replace(str(path), place(path))
    except Exception as error:
        yield f"{place(path)}: it cannot be imported: {error!r}"
        return
    for name, what in (("run(bench)", "does it"), ("claims(rows)", "says what is true")):
        if not hasattr(experiment.module, name.partition("(")[0]):
            yield f"{place(path)}: it has no function {name}. Write it: it {what}."


def of_errors(chapter: chapters.Chapter, path: Path) -> Iterator[str]:
    """What the provokers in a file lack."""
    yield from todos(path)
    try:
        if not list(catalogue.of_file(chapter, path)):
            yield f"{place(path)}: nothing in it is decorated with @provokes(MESSAGE)."
    except NotAnExperiment as error:
        yield str(error).replace(str(path), place(path))
    except Exception as error:
        yield f"{place(path)}: it cannot be imported: {error!r}"


def of_exercise(exercise: Exercise) -> Iterator[str]:
    """What an exercise lacks."""
    folder = exercise.folder
    texts = ("README.md", "hints.md", "check.py")
    for name in texts:
        if (folder / name).exists():
            yield from todos(folder / name)
        else:
            yield f"{place(folder / name)}: it is missing. `lab new exercise` makes one."
    for path in inside(folder):
        if path.name not in texts and path not in exercise.starter:
            yield f"{place(path)}: a stray file. A starter is Python files: move or delete it."
    if (folder / "README.md").exists() and not exercise.minutes:
        yield f"{place(folder / 'README.md')}: it does not say how long it takes: '10 minutes.'"
    if (folder / "hints.md").exists():
        yield from of_hints(exercise)
    yield from of_starter(exercise)
    if f'("{exercise.name}", ' not in MISTAKES.read_text():
        yield (
            f"{place(MISTAKES)}: nothing about {exercise.name}. Add to its MISTAKES what beginners "
            "write instead, and what they are told."
        )


def of_hints(exercise: Exercise) -> Iterator[str]:
    path, hints = place(exercise.folder / "hints.md"), exercise.hints
    if len(hints) < 3:
        yield f"{path}: it has {len(hints)} hints. Write three or more, each below a heading '## '."
    elif not hints[0].endswith("?"):
        yield f"{path}: the first hint is a question. End it with a question mark."


def of_starter(exercise: Exercise) -> Iterator[str]:
    """What is wrong between the starter and our answer."""
    unfinished = [file for file in exercise.starter if "TODO" in file.read_text()]
    if not unfinished:
        yield f"{place(exercise.folder)}: no file of the starter has a TODO. Mark what is missing."
    names = {file.name for file in unfinished}
    for path in inside(exercise.solution):
        if path.name not in names:
            yield f"{place(path)}: a stray file. The starter has no file of this name with a TODO."
    for file in unfinished:
        ours = exercise.solution / file.name
        if not ours.exists():
            yield f"{place(ours)}: it is missing. Write our answer to {place(file)}."
            continue
        before, after = file.read_text().splitlines(), ours.read_text().splitlines()
        if before == after:
            yield f"{place(ours)}: it is the same as its starter. Solve the TODO."
            continue
        yield from todos(ours)
        changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        marks = [number for number, line in enumerate(before) if "TODO" in line]
        for kind, first, last, *_ in changes:
            if kind != "equal" and not any(first - 6 <= mark <= last + 2 for mark in marks):
                where = f"{place(file)}:{first + 1}"
                yield f"{where}: our answer differs here, far from a TODO. Move one of them."


def of_minutes(chapter: chapters.Chapter) -> Iterator[str]:
    """What does not add up: in the pages, in the table of a lesson, and in its lesson.toml."""
    if not (chapter.folder / "README.md").exists():
        return
    lesson, toml = chapter.folder / "README.md", place(chapter.folder / "lesson.toml")
    minutes: dict[str, int] = {}
    for page in chapter.pages:
        said = re.search(r"This page takes (\d+) minutes", page.read_text())
        minutes[page.name] = int(said[1]) if said else 0
        if not said:
            yield f"{place(page)}: write 'This page takes N minutes'."
    if minutes.get("README.md", 0) > 30:
        yield f"{place(lesson)}: a first page takes at most 30 minutes. Move something to another."
    teaching = sum(minutes.values())
    if chapter.teach != teaching:
        yield f"{toml}: teach is {chapter.teach}. Write {teaching}, the sum of its pages."
    exercising = sum(each.minutes for each in with_readme(chapter))
    if chapter.practise != exercising:
        what = f"practise is {chapter.practise}. Write {exercising}, the sum of its exercises."
        yield f"{toml}: {what}"
    for name, right in [*minutes.items(), ("#exercises", exercising)]:
        start = r"\| this page \|" if name == "README.md" else rf"\| \[.+\]\({re.escape(name)}\) \|"
        row = re.search(rf"^{start}.*\| (\d*) \|$", lesson.read_text(), re.M)
        if not row or row[1] != str(right):
            what = f"its first table needs a row for {name} that ends '| {right} |'."
            yield f"{place(lesson)}: {what}"


def with_readme(chapter: chapters.Chapter) -> list[Exercise]:
    every = exercises.of_chapter(chapter)
    return [each for each in every if (each.folder / "README.md").exists()]


def of_tables(chapter: chapters.Chapter) -> Iterator[str]:
    """Tables of a chapter that are missing or out of date."""
    lesson = chapter.folder / "README.md"
    if not lesson.exists():
        return
    for name in TABLES:
        mark = f'{tables.MARK}tables.{name}("{chapter.number}") ]]] -->'
        if lesson.read_text().count(mark) != 1:
            yield f"{place(lesson)}: write {mark} once, where the table goes, and an end mark."
    for page in chapter.pages:
        yield from of_page(page)


def of_page(page: Path) -> Iterator[str]:
    """Whether a page says where to type what, and its tables are up to date."""
    for fence, what in directions.missing_in(Page.read(page)):
        yield f"{place(page)}, line {fence.line}: {what}, above it. The prose does not tell."
    try:
        stale = list(tables.out_of_date([page]))
    except NotAnExperiment:
        return  # said of the file that lacks something
    except Exception as error:
        yield f"{place(page)}: its tables cannot be made: {error}"
        return
    if stale:
        yield f"{place(page)}: its tables are out of date. Type: lab tables"
