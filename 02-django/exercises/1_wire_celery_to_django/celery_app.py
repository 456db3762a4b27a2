"""The Celery app of the shop:  celery -A celery_app worker"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

app = Celery("shop")
# TODO: let the app read Django's settings, and import the module `tasks`.
