"""The Celery app of the shop:  celery -A celery_app worker"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

app = Celery("shop", include=["tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")
