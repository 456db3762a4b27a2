"""# The worker is on Redis. Why does the shell talk to RabbitMQ?

## Question

In `album/__init__.py` stands `from album.celery import app as celery_app`. Nobody uses the name,
so a colleague deletes the line. `celery -A album worker` starts as before. Now you type
`python manage.py shell` and want to send a mail: `from album.tasks import send_feedback`. To
which broker would `.delay()` go?

## Predict

- [x] To RabbitMQ, at `amqp://guest:**@localhost:5672//`.
- [ ] To Redis: shell and worker read the same settings.
- [ ] To none: without an app `@shared_task` cannot be imported.

## Why

`celery -A album` looks for the app itself, in `album/celery.py`. `manage.py` does not: it knows
nothing of Celery. A shared task belongs to the current app. In the shell nobody has made one, so
Celery makes a default app, and its default broker is RabbitMQ.

The third row is the nasty one. Our views import the app for another reason, and once they are
loaded the task finds it. So the page works, and the
shell or a new command does not.

## Fix

Keep the import in the project's `__init__.py`: Django imports it first, in every process. Write
a comment beside it. In doubt ask the task: `send_feedback.app.connection().as_uri()`.
"""

import re
import sys

FORGOTTEN = {
    "album/__init__.py": (
        'from album.celery import app as celery_app\n\n__all__ = ["celery_app"]\n',
        "",
    )
}

ASK = "from album.tasks import send_feedback; print(send_feedback.app.connection().as_uri())"


def run(bench):
    # The variables would reach every app, the default one as well, and hide what we want to see.
    env = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}
    env["ALBUM_DATA"] = str(bench.folder / "data")
    broken = bench.copy(FORGOTTEN)
    # The worker really connects: the settings of the copy name the broker of this bench.
    settings = broken / "album" / "settings.py"
    url = "redis://localhost:6379/0"
    settings.write_text(settings.read_text().replace(url, bench.broker.url))

    def shell(folder, code):
        said = bench.run([sys.executable, "manage.py", "shell", "-c", code], cwd=folder, env=env)
        return said.log().splitlines()[-1]

    banner = bench.worker("album", cwd=broken, env=env).log()
    worker = re.search(r"transport:\s+(\S+)", banner)[1]
    return [
        {"without the import": "celery -A album worker", "broker": worker},
        {"without the import": "manage.py shell", "broker": shell(broken, ASK)},
        {
            "without the import": "manage.py shell, import album.views first",
            "broker": shell(broken, f"import album.views; {ASK}"),
        },
        {
            "without the import": "(with it, manage.py shell)",
            "broker": shell(bench.chapter, ASK),
        },
    ]


def claims(rows):
    worker, shell, views, fixed = (row["broker"] for row in rows)
    return {
        "the worker is on Redis": worker.startswith("redis://"),
        "the shell would call RabbitMQ": shell == "amqp://guest:**@localhost:5672//",
        "once the views are loaded it would call Redis": views.startswith("redis://"),
        "with the import it is Redis": fixed == "redis://:**@localhost:6379/0",
    }
