"""What goes wrong between Django and Celery. No worker is needed."""

import sys

from lab.course.catalogue import provokes

MODEL = """from django.db import models


class Order(models.Model):
    customer = models.CharField(max_length=50)
"""

SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'


def run(bench, code, folder=None):
    """Type some lines of Python in the album's folder. Nobody has named settings beforehand."""
    env = {"ALBUM_DATA": str(bench.folder / "data"), "DJANGO_SETTINGS_MODULE": None}
    return bench.run([sys.executable, "-c", code], cwd=folder, env=env).log()


@provokes(
    "django.core.exceptions.ImproperlyConfigured: settings.DATABASES is improperly configured. "
    "Please supply the ENGINE value. Check settings documentation for more details."
)
def on_commit_without_a_database(bench):
    """# `delay_on_commit` in a project that has no database

    ## Why

    `delay_on_commit` asks the database whether a transaction is open. With `DATABASES = {}` there
    is nobody to ask.

    ## Fix

    Without a database there is no commit to wait for: call `.delay()`. In a reusable app, which
    does not know its project, let the project decide.
    """
    return run(
        bench, "from album.tasks import send_feedback; send_feedback.delay_on_commit('', '')"
    )


@provokes("AttributeError: 'NoneType' object has no attribute 'get'")
def a_result_of_delay_on_commit(bench):
    """# `.get()` or `.id` on what `delay_on_commit` returns

    ## Why

    `delay_on_commit` returns `None`, always. The message is sent after the commit, and before
    that there is no id.

    ## Fix

    Do without the result. Or choose the id yourself:
    `task.apply_async_on_commit(args, task_id=my_id)`, and later `task.AsyncResult(my_id)`.
    """
    folder = bench.copy({"album/settings.py": ("DATABASES = {}", SQLITE)})
    send = "send_feedback.delay_on_commit('ada@example.org', 'Hello').get()"
    return run(bench, f"from album.tasks import send_feedback; {send}", folder)


@provokes("AttributeError: '...' object has no attribute 'delay_on_commit'")
def no_delay_on_commit(bench):
    """# The task has no `delay_on_commit`

    ## Why

    Only tasks of an app that was made with `DJANGO_SETTINGS_MODULE` set have it. Here the variable
    was set too late, or the task belongs to another app: the default one, because nobody has
    imported yours.

    ## Fix

    In `album/celery.py` set the variable above `app = Celery(...)`. In `album/__init__.py` write
    `from album.celery import app`. A task that is used without Django as well calls `.delay()`.
    """
    return run(bench, "import tiny.celery; from thumbnails.tasks import make; make.delay_on_commit")


@provokes("django.core.exceptions.AppRegistryNotReady: Apps aren't loaded yet.")
def a_model_too_early(bench):
    """# Apps aren't loaded yet

    ## Why

    Somebody imports a model while Django is still starting. The project's `__init__.py` imports
    `celery.py` before everything else, so whatever `celery.py` imports comes too early.

    ## Fix

    Import no models in `celery.py`, and no modules that import some. Write the task in the
    `tasks.py` of an app: `autodiscover_tasks()` imports it when Django is ready. A script of your
    own calls `django.setup()` first.
    """
    early = "from album.models import Order\n\napp = Celery("
    folder = bench.copy({"album/celery.py": ("app = Celery(", early)})
    (folder / "album" / "models.py").write_text(MODEL)
    return run(bench, "import album", folder)


@provokes(
    "django.core.exceptions.ImproperlyConfigured: Requested settings, but settings are not "
    "configured. You must either define the environment variable DJANGO_SETTINGS_MODULE or call "
    "settings.configure() before accessing settings.",
    "django.core.exceptions.ImproperlyConfigured: Requested setting ..., but settings are not "
    "configured. You must either define the environment variable DJANGO_SETTINGS_MODULE or call "
    "settings.configure() before accessing settings.",
)
def nobody_named_the_settings(bench):
    """# Settings are not configured

    ## Why

    `manage.py` names the settings module. A worker is not started by `manage.py`, and a script is
    not either. So nobody has told this process where the settings are.

    ## Fix

    In `album/celery.py`, above `app = Celery(...)`:
    `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "album.settings")`.
    """
    line = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "album.settings")\n'
    folder = bench.copy({"album/celery.py": (line, "")})
    send = "from album.tasks import send_feedback; send_feedback.delay('ada@example.org', 'Hello')"
    return run(bench, send, folder) + run(bench, "import album.shelf as s; s.all_albums()", folder)


@provokes(
    "TypeError: @shared_task was applied more than once to the same function. "
    "Remove the extra @shared_task decorator."
)
def shared_twice(bench):
    """# `@shared_task` stands twice above one function

    ## Why

    The second decorator would make a task of a task. Before Celery 5.7 nobody said so.

    ## Fix

    Remove one of them. To give options, write them into the one that stays:
    `@shared_task(ignore_result=True)`.
    """
    return run(bench, "from celery import shared_task; shared_task(shared_task(print))")
