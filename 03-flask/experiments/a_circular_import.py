"""# The site starts. Why does the worker not?

## Question

`app.py` makes the Flask application and the Celery app, and imports the task for its view.
`tasks.py` imports the Celery app for its decorator. You have moved the first import to the end of
`app.py`, as an answer on the net advises. Does the site start, and does the worker?

## Predict

- [ ] Both start: at the end of the file everything is there that the other one needs.
- [ ] Neither: two modules that import each other never work.
- [x] It depends on who is imported first. The site starts, `celery -A tasks worker` does not.

## Why

Python runs a module from top to bottom, once. Who imports a module that has not come to its end
gets what is there so far. With the import at the end, `app` first works: its names are there when
`tasks` asks for them. With `tasks` first, `app` runs within the first line of `tasks`, and asks for
a task that is not there yet. A shell, a test and a worker each begin at another end.

With `shared_task` the task needs no app, so `tasks.py` does not import one. The factory imports
the tasks, and nobody imports the factory but those who start something.

## Fix

A factory, `@shared_task`, and a module for the worker, `make_celery.py`. Arrows that all point in
one direction: `make_celery` to `mailroom` to `form` to `tasks`. (If the message names the module
`celery` itself, a file of yours is called `celery.py`, and hides the package. Rename it.)
"""

import re
import sys

from lab.bench import celery

MESSAGES = [
    "ImportError: cannot import name '...' from partially initialized module '...' "
    "(most likely due to a circular import)",
]

APP = """
from celery import Celery
from flask import Flask
{at_the_top}
app = Flask("app")
celery = Celery("app", broker="redis://localhost:6379/0")

@app.get("/")
def order():
    send.delay("ada@example.org")
    return "sent"
{at_the_end}
"""

TASKS = """
from app import celery

@celery.task
def send(address):
    pass
"""

IMPORT = "from tasks import send"


def run(bench):
    layouts = {
        "at the top": APP.format(at_the_top=IMPORT, at_the_end=""),
        "at the end": APP.format(at_the_top="", at_the_end=IMPORT),
    }
    started = []

    def start(layout, what, argv, folder=None):
        command = " ".join(argv[2:])
        started.append((layout, what, command, bench.process(what, argv, cwd=folder)))

    flask = [sys.executable, "-m", "flask", "--app"]
    for layout, code in layouts.items():
        folder = bench.folder / layout
        folder.mkdir()
        (folder / "app.py").write_text(code)
        (folder / "tasks.py").write_text(TASKS)
        start(layout, "site", [*flask, "app", "routes"], folder)
        start(layout, "worker", celery("app.celery", "report"), folder)
        start(layout, "worker", celery("tasks", "report"), folder)
    start("a factory", "site", [*flask, "mailroom", "routes"])
    start("a factory", "worker", celery("make_celery", "report"))
    rows = []
    for layout, what, command, process in started:
        fine = process.wait(60) == 0
        errors = re.findall("ImportError: .* circular import[)]", process.log())
        row = {"the import": layout, "started with": command}
        row["it"] = f"the {what} " + ("starts" if fine else "dies")
        rows.append(row | {"message": errors[-1] if errors else ""})
    return rows


def claims(rows):
    starts = [row["it"].endswith("starts") for row in rows]
    return {
        "with the import at the top nothing starts": not any(starts[:3]),
        "with the import at the end the site starts": starts[3],
        "and so does a worker that begins with app": starts[4],
        "a worker that begins with tasks dies": not starts[5],
        "with a factory and shared_task both start": all(starts[6:]),
    }
