import json
import re

from lab.bench import tail

# Django starts, and a task is asked where it would go. Nothing is sent, nothing connects.
ASK = """
import json
import django
django.setup()
from tasks import print_photo
app = print_photo.app
with app.connection_for_write() as connection:
    url = connection.as_uri(include_password=True)
print(json.dumps([app.main, url, app.conf.task_default_queue]))
"""
SEND = """
import django
django.setup()
from tasks import print_photo
print(print_photo.delay("harbour.jpg").get(timeout=40))
"""
DJANGO = {"DJANGO_SETTINGS_MODULE": "settings"}
NO_BROKER = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}


def check(bench):
    said = bench.python(ASK, env=DJANGO | NO_BROKER)
    try:
        name, url, queue = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise AssertionError(f"Django does not start with your files:\n{tail(said)}") from None
    assert name == "shop", (
        f"Django has started, and the task would go to {url}. That is Celery's default, because "
        "nobody has imported your app. Which file does every process of Django import?"
    )
    assert url == "redis://localhost:6379/2", (
        f"The task finds your app, and would go to {url}. CELERY_BROKER_URL in settings.py is "
        "another address. Does the app read the settings, and does it know the namespace?"
    )
    assert queue == "prints", (
        f"The broker is right, the queue is not: {queue!r}. Take all of Celery's settings from "
        "settings.py, not the address alone."
    )
    worker = bench.worker("celery_app")
    tasks = re.findall(r"^  \. (\S+)$", worker.log(), re.M)
    assert "tasks.print_photo" in tasks, (
        f"The address is right. But the worker lists {', '.join(tasks) or 'no task'}, and not "
        "tasks.print_photo. Which argument of Celery(...) makes it import the module `tasks`?"
    )
    printed = bench.python(SEND, env=DJANGO)
    assert printed == "printed harbour.jpg\n", (
        f"The worker is ready, and no result comes back. Sending said:\n{tail(printed)}"
    )
