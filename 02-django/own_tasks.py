"""Django's own tasks, with the package django-tasks:  python own_tasks.py immediate|dummy

It is a project in one file: Django, its tasks, one backend.
"""

import os
import sys

import django
from django.conf import settings

backend = {
    "immediate": "django_tasks.backends.immediate.ImmediateBackend",
    "dummy": "django_tasks.backends.dummy.DummyBackend",
}[sys.argv[1]]
settings.configure(INSTALLED_APPS=["django_tasks"], TASKS={"default": {"BACKEND": backend}})
django.setup()

from django_tasks import task  # noqa: E402  # it reads the settings, so they come first


@task()
def shrink(photo: str) -> str:
    print(f"{photo} is being shrunk in the sender's process: {os.getpid() == sender}")
    return f"small {photo}"


sender = os.getpid()
result = shrink.enqueue("harbour.jpg")
print(f"status: {result.status}")
if result.is_finished:
    print(f"result: {result.return_value}")
