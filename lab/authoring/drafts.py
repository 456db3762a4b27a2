"""New experiments, exercises and errors: files with every part, and a sentence on what goes there.

What is to be written says TODO. `lab.authoring.checks` lists every one that is left.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lab.chapters import Chapter
from lab.course import exercises

EXPERIMENT = '''"""# TODO: one question that a reader has. Does it end with a question mark?

## Question

TODO: three to six lines. What is there, what happens to it, and what do you ask? A reader must be
able to guess from this alone.

## Predict

- [ ] TODO: what many people believe, and is wrong.
- [x] TODO: what happens. Move the x: the right one is not always the second.
- [ ] TODO: another thing that people believe.

## Why

TODO: what Celery does here, and for what reason. Name the setting or the function.

## Fix

TODO: what to write instead, in one or two sentences.
"""


def run(bench):
    """TODO: do it with real processes, and return a row for each case."""
    bench.worker("APP")  # TODO: start what you need. Here a worker: celery -A APP worker
    return [{"case": "first", "seen": "nothing"}]


def claims(rows):
    """TODO: sentences, each with whether it is true. Claim outcomes and order, never seconds."""
    return {"TODO: what was seen": rows[0]["seen"] == "something"}
'''

ERROR = '''"""TODO: what the errors in this file have in common."""

from lab.course.catalogue import provokes


@provokes("TODO: the message as Celery prints it, with ... for what varies")
def NAME(bench):
    """# TODO: a title that somebody who searches for it understands

    ## Why

    TODO: what brings this message about.

    ## Fix

    TODO: what to write instead.
    """
    # TODO: really do what goes wrong, and return what was printed.
    return bench.python("import tasks")
'''

README = """# TODO: what the learner does, as an order: Retry what can get better

10 minutes. TODO: the task in ten lines. Which file, what does it do now, what has to be different?
Correct the minutes: beginners need twice as long as you.
"""

HINTS = """# Hints

## First

TODO: a question that leads to the place. Does it end with a question mark?

## Second

TODO: the name of the function or of the setting.

## Third

TODO: nearly the answer.
"""

CHECK = '''def check(bench):
    """TODO: run the learner's files. Each assertion has a sentence that a beginner understands."""
    worker = bench.worker("task")
    assert "TODO" in worker.log(), "TODO: say what was seen, and ask what could be different."
'''

STARTER = """from celery import Celery

app = Celery("task", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


# TODO: say here what is missing, and give the rest of the file.
"""


class NoDraft(ValueError):
    """It cannot be made: its name is not a name, or is taken."""


def experiment(chapter: Chapter, name: str) -> list[Path]:
    """A file for a new experiment."""
    text = EXPERIMENT.replace("APP", usual_app(chapter))
    return written({chapter.folder / "experiments" / f"{checked(name)}.py": text})


def error(chapter: Chapter, name: str) -> list[Path]:
    """A file for a new entry of the error catalogue."""
    text = ERROR.replace("NAME", checked(name))
    return written({chapter.folder / "errors" / f"{name}.py": text})


def exercise(chapter: Chapter, name: str) -> list[Path]:
    """The files for a new exercise, with the next number, and for its solution."""
    every = exercises.of_chapter(chapter)
    if any(each.folder.name.partition("_")[2] == checked(name) for each in every):
        raise NoDraft(f"There is an exercise {name} in {chapter.name}. Choose another name.")
    numbers = [int(each.folder.name.partition("_")[0]) for each in every]
    folder = f"{max(numbers, default=0) + 1}_{name}"
    task = chapter.folder / "exercises" / folder
    return written(
        {
            task / "README.md": README,
            task / "hints.md": HINTS,
            task / "check.py": CHECK,
            task / "task.py": STARTER,
            chapter.folder / "solutions" / folder / "task.py": STARTER,
        }
    )


def usual_app(chapter: Chapter) -> str:
    """The app whose worker most experiments of a chapter start."""
    code = "".join(path.read_text() for path in sorted(chapter.folder.glob("experiments/*.py")))
    apps = Counter(re.findall(r'bench\.worker\("(\w+)"', code))
    return apps.most_common(1)[0][0] if apps else "tasks"


def checked(name: str) -> str:
    """The name, if Python and the shell can read it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise NoDraft(f"{name!r} is not a name. Write small letters and _, like the_question.")
    return name


def written(files: dict[Path, str]) -> list[Path]:
    """Write the files, if none of them is there."""
    for path in files:
        if path.exists():
            raise NoDraft(f"{path} is there already. Choose another name.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(files)
