"""# You configured Redis. Why does it call RabbitMQ?

## Question

A module defines its task with `@shared_task`, because that needs no app. Your script imports
the task and calls `.delay()`. The app with the Redis URL stands in another module, which the
script does not import. Where does the message go?

## Predict

- [ ] To Redis: Celery finds the app when it needs it.
- [ ] Nowhere: `@shared_task` raises an error when there is no app.
- [x] To RabbitMQ, at `amqp://guest:**@localhost:5672//`.

## Why

A shared task belongs to the current app. When nobody has made one in this process, Celery makes
a default app with default settings, and its default broker is RabbitMQ. The message of the
error names a broker you never configured: that is how you recognise it.

## Fix

Import the module that makes the app wherever tasks are sent: in a package, in its
`__init__.py`. Ask any task where it would send: `task.app.connection().as_uri()`.
"""

SHARED = """from celery import shared_task


@shared_task
def crop(photo):
    return photo
"""

# The variable would reach every app, the default one as well, and hide what we want to see.
UNCONFIGURED = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}


def run(bench):
    folder = bench.copy({})
    (folder / "shared.py").write_text(SHARED)
    rows = []
    for script in ("from shared import crop", "import tasks; from shared import crop"):
        ask = f"{script}; print(crop.app.connection().as_uri(), end='')"
        uri = bench.python(ask, cwd=folder, env=UNCONFIGURED)
        rows.append({"the script": script, "the message would go to": uri})
    return rows


def claims(rows):
    forgotten, imported = (row["the message would go to"] for row in rows)
    return {
        "without the app it is RabbitMQ": forgotten == "amqp://guest:**@localhost:5672//",
        "with the app imported it is Redis": imported.startswith("redis://")
        and imported.endswith("localhost:6379/0"),
    }
