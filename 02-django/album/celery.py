"""The Celery app of the album:  celery -A album worker --loglevel INFO"""

import os

from celery import Celery

# A worker is started by `celery`, not by manage.py. It has to find the settings as well.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "album.settings")

app = Celery("album")
# Every setting that begins with CELERY_, without it and in small letters, is one of Celery's.
app.config_from_object("django.conf:settings", namespace="CELERY")
# Look for a module `tasks` in each of INSTALLED_APPS.
app.autodiscover_tasks()
