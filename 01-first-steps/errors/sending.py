"""What goes wrong where a task is sent, or its result is asked for. No worker is needed."""

from lab.course.catalogue import provokes

NO_BACKEND = """from celery import Celery, chord, shared_task

app = Celery("photo_album", broker="redis://localhost:6379/0")


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


def crop(photo):
    return photo
"""


def prepare(bench):
    folder = bench.use(bench.copy({}))
    (folder / "photo_album.py").write_text(NO_BACKEND)


def album(bench, code):
    """Type a line that uses the module, whose app has no result backend."""
    return bench.python(f"from photo_album import *\n{code}", env={"CELERY_RESULT_BACKEND": None})


@provokes(
    "NotImplementedError: No result backend is configured. "
    "Please see the documentation for more information.",
    "AttributeError: 'DisabledBackend' object has no attribute '_get_task_meta_for'",
)
def no_result_backend(bench):
    """# You ask for a result, and the app has no result backend

    ## Why

    Without `backend=` nobody keeps results. `.get()` says so; `.state` and `.ready()` end in an
    `AttributeError`. The task itself runs. You see the same when you make an `AsyncResult` by
    hand: it belongs to whichever app is the current one.

    ## Fix

    `Celery("tasks", broker=..., backend="redis://localhost:6379/0")`. For an id that you have
    kept, ask the task or the app: `add.AsyncResult(id)`.
    """
    return album(bench, "add.delay(1, 1).get()") + album(bench, "print(add.delay(1, 1).state)")


@provokes(
    "NotImplementedError: Starting chords requires a result backend to be configured. "
    "Note that a group chained with a task is also upgraded to be a chord, "
    "as this pattern requires synchronization."
)
def a_chord_without_a_backend(bench):
    """# A chord, or a group with a task after it, needs a result backend

    ## Why

    The last task of a chord starts when all others have ended. The result backend counts them.

    ## Fix

    Give the app a `backend=`. Redis can do it.
    """
    return album(bench, "chord([add.s(1, 1), add.s(2, 2)])(total.s())")


@provokes("TypeError: ...() missing ... required positional argument...: ...")
def a_missing_argument(bench):
    """# `.delay()` complains about a missing argument

    ## Why

    Celery compares the arguments with the function before it sends anything. `send_task` cannot
    do that: it knows only a name, and the same error then appears in the worker.

    ## Fix

    Give every argument that has no default. A task with `bind=True` gets `self` from Celery: do
    not count it.
    """
    return album(bench, "add.delay(1)")


@provokes("AttributeError: 'function' object has no attribute 'delay'")
def not_a_task(bench):
    """# The function you call `.delay()` on is not a task

    ## Why

    Only `@app.task` and `@shared_task` make a task of a function. Here the decorator is missing,
    or another decorator stands above it and has put a plain function in its place.

    ## Fix

    Write `@app.task` as the first of the decorators, directly above the others.
    """
    return album(bench, "crop.delay('harbour.jpg')")


@provokes(
    "kombu.exceptions.OperationalError: [Errno ...] Connection refused",
    "consumer: Cannot connect to amqp://...: [Errno ...] Connection refused.",
)
def a_call_to_rabbitmq(bench):
    """# Connection refused, with the number in brackets: this is a call to RabbitMQ

    ## Why

    A Redis that refuses says "Error 111 connecting to ...". The brackets are the mark of
    `amqp://`. If you never asked for RabbitMQ, your task belongs to an app without a broker
    URL: Celery's default app, because the module that makes yours was not imported.

    ## Fix

    Print `task.app.connection().as_uri()` where you send. When it says `amqp://`, import the
    module that makes your app. For a worker: name your app with `-A`.
    """
    # The port is one where nothing listens. By default it is 5672.
    nobody = {"CELERY_BROKER_URL": "amqp://localhost:9//"}
    worker = bench.worker("tasks", env=nobody, wait=False)
    (bench.chapter / "shared.py").write_text(
        "from celery import shared_task\n\n\n@shared_task\ndef crop(photo):\n    return photo\n"
    )
    said = bench.python("from shared import crop; crop.apply_async(('a.jpg',))", env=nobody)
    worker.wait_for("Trying again")
    worker.kill()
    return said + worker.log()
