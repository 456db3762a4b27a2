"""What code and commands from old articles end in."""

import sys

from lab.bench import wait_until
from lab.course.catalogue import provokes, raised

OLD = """from celery import Celery, Task

app = Celery("old", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task(bind=True)
def tell(self, customer):
    try:
        raise ConnectionError("the mail server is down")
    except ConnectionError as error:
        self.retry(error)


class Crop(Task):
    def run(self, photo):
        return photo
"""

APP = """from celery import Celery

app = Celery("mixed")
app.conf.update({})


@app.task
def add(x, y):
    return x + y
"""


def prepare(bench):
    folder = bench.use(bench.copy({}))
    (folder / "old.py").write_text(OLD)
    bench.worker("old", wait=False)  # what is asked of it waits in the queue


@provokes(
    "You are using `-A` as an option of the worker sub-command: celery worker -A celeryapp <...> "
    "The support for this usage was removed in Celery 5.0.",
    "Error: No such option '-A'.",
)
def the_old_order_of_words(bench):
    """# `celery worker -A tasks` has the words in the old order

    ## Why

    Since Celery 5.0 `-A` belongs to `celery`, and stands before the name of the command.

    ## Fix

    `celery -A tasks worker`
    """
    return bench.run([sys.executable, "-m", "celery", "worker", "-A", "tasks"]).log()


@provokes("celery.exceptions.ImproperlyConfigured: Unknown result backend: '...'.")
def an_unknown_backend(bench):
    """# The name of the result backend is unknown

    ## Why

    The word before `://` is misspelt, or it is a backend that is gone: `backend="amqp"` of old
    articles was removed in Celery 5.0.

    ## Fix

    `backend="redis://localhost:6379/0"`. With RabbitMQ as the broker, `backend="rpc://"` is the
    successor.
    """
    code = "from celery import Celery\nCelery('old', backend='amqp').backend"
    return bench.python(code, env={"CELERY_RESULT_BACKEND": None})


@provokes(
    "celery.exceptions.ImproperlyConfigured: Cannot mix new and old setting keys, please rename "
    "the following settings to the new format: ... -> ...",
    "celery.exceptions.ImproperlyConfigured: Cannot mix new setting names with old setting names, "
    "please rename the following settings to use the old format: ... -> ... "
    "Or change all of the settings to use the new format :)",
)
def old_and_new_settings(bench):
    """# Old and new names of settings are mixed

    ## Why

    Settings like `CELERY_ACKS_LATE` got new names in lower case in Celery 4. Either all of them
    are old, or all are new. The message tells you to rename the minority, which may be the new.

    ## Fix

    Rename to the new names, always. `celery upgrade settings celeryconfig.py` does it for you.
    (In Django, with `namespace="CELERY"`, the new names are written `CELERY_TASK_ACKS_LATE`.)
    """
    new = {"CELERY_ACKS_LATE": True, "task_track_started": True}
    old = {"CELERY_ACKS_LATE": True, "CELERY_TASK_SERIALIZER": "json", "task_track_started": True}
    said = ""
    for number, settings in enumerate((new, old)):
        module = f"mixed{number}"
        (bench.chapter / f"{module}.py").write_text(APP.replace("{}", repr(settings)))
        said += bench.python(f"from {module} import add\nadd.delay(1, 1)")
    return said


@provokes(
    "ModuleNotFoundError: No module named 'celery.decorators'",
    "ModuleNotFoundError: No module named 'celery.task'",
    "ModuleNotFoundError: No module named 'celery.contrib.methods'",
    "ModuleNotFoundError: No module named 'djcelery'",
    "ImportError: cannot import name 'task' from 'celery'",
)
def old_imports(bench):
    """# An import of an old article: `celery.task`, `celery.decorators`, `djcelery`

    ## Why

    These modules were removed in Celery 4 and 5. The article is older than that.

    ## Fix

    `from celery import shared_task` for the decorators and classes, `from celery.schedules
    import crontab` for `crontab`, `app.control.revoke` for `celery.task.control`. Nothing
    replaces `djcelery`: Celery works with Django by itself.
    """
    return "".join(
        bench.python(line)
        for line in (
            "from celery.decorators import task",
            "from celery.task.schedules import crontab",
            "from celery.contrib.methods import task_method",
            "import djcelery",
            "from celery import task",
        )
    )


@provokes("TypeError: '...Error' object is not iterable")
def retry_without_a_name(bench):
    """# `self.retry(error)` fails instead of retrying

    ## Why

    The first parameter of `retry` is `args`, the arguments for the next try. The exception lands
    there, and the task dies while it asks for its retry.

    ## Fix

    `raise self.retry(exc=error)`
    """
    from old import tell

    return raised(lambda: tell.delay("Ada").get(timeout=120))


@provokes(
    "Received unregistered task of type None.",
    "celery.exceptions.NotRegistered: None",
)
def a_class_that_is_not_registered(bench):
    """# A task written as a class has no name

    ## Why

    Since Celery 4 a class that inherits from `Task` is not registered by itself. Its name is
    `None`. `.delay()` sends that all the same, and the worker throws it away.

    ## Fix

    `crop = app.register_task(Crop())`, and then `crop.delay(...)`. Or write a function with
    `@app.task`.
    """
    from old import Crop

    result = raised(lambda: Crop().delay("harbour.jpg").get(timeout=120))
    log = bench.processes[1].log  # the first is the broker
    wait_until(lambda: "type None" in log(), "no word in the log", timeout=60)
    return result + log()
