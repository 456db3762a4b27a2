"""Django's settings of a small shop with a database. They are complete."""

import os

SECRET_KEY = "only for this exercise"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", "shop.sqlite3"),
    }
}

CELERY_BROKER_URL = "redis://localhost:6379/0"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
