"""# The worker says that Flask has no `user_options`. Who asked for Flask?

## Question

Your module makes two objects, the Flask application and the Celery app. You start the worker with
`-A` and the name of the module. How does Celery find its app in there?

## Predict

- [ ] It looks for an object of the class `Celery`, whatever its name is.
- [ ] It asks the Flask application for `extensions["celery"]`.
- [x] It takes what is called `app`, even if that is a Flask application.

## Why

Celery looks for the name `app` first, and for the name `celery` after that. What it finds there it
takes, without a look at the class. Only where neither name exists does it search the module for
an object of the class `Celery`. Flask's own habit is to call the application `app`: that is what
`flask run` looks for first. So the two programs quarrel about one name.

A module with a factory and nothing else, like `mailroom`, has nothing for Celery to find: somebody
has to call the factory. That is what `make_celery.py` is for.

## Fix

Name the object, `-A module:celery_app`, or leave the name `app` out of the worker's module, as
`make_celery.py` does: `flask_app` and `celery_app`.
"""

from lab.bench import WORKER_READY, celery, wait_until

MESSAGES = ["AttributeError: 'Flask' object has no attribute 'user_options'"]

# A module as it stands in many tutorials.
APP = """
from mailroom import create_app

app = create_app()
celery_app = app.extensions["celery"]
"""

WAYS = ["app", "app:celery_app", "app.celery_app", "mailroom", "make_celery"]


def run(bench):
    folder = bench.copy({})
    (folder / "app.py").write_text(APP)
    workers = []
    for number, way in enumerate(WAYS):
        argv = celery(way, "worker", "--loglevel", "INFO", "--without-mingle", "--concurrency", "1")
        argv += ["--hostname", f"worker{number}@bench"]
        workers.append(bench.process(f"worker{number}", argv, cwd=folder))
    rows = []
    for way, worker in zip(WAYS, workers, strict=True):
        wait_until(
            lambda worker=worker: WORKER_READY in worker.log() or not worker.running,
            "the worker is neither ready nor dead",
            timeout=60,
            log=worker.log,
        )
        ready = WORKER_READY in worker.log()
        last = worker.log().strip().splitlines()[-1]
        row = {"celery worker": f"-A {way}", "it": "is ready" if ready else "dies"}
        rows.append(row | {"message": "" if ready else last})
    return rows


def claims(rows):
    app, colon, dot, package, entry = (row["it"] for row in rows)
    return {
        "-A app takes Flask, and the worker dies": app == "dies" and "Flask" in rows[0]["message"],
        "with the name of the object it starts": (colon, dot) == ("is ready",) * 2,
        "a factory alone is nothing to find": package == "dies",
        "-A make_celery starts: no object in there is called app": entry == "is ready",
    }
