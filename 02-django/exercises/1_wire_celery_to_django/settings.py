"""Django's settings of a small shop. They are complete: nothing is to be done here."""

SECRET_KEY = "only for this exercise"
INSTALLED_APPS = ["shop"]
USE_TZ = True

CELERY_BROKER_URL = "redis://localhost:6379/2"
CELERY_RESULT_BACKEND = "redis://localhost:6379/2"
CELERY_TASK_DEFAULT_QUEUE = "prints"
CELERY_TIMEZONE = "UTC"
