"""Given: the Celery app of the second project:  celery -A tiny worker --loglevel INFO"""

from celery import Celery

app = Celery(
    "tiny",
    broker="redis://localhost:6379/0",
    backend="redis://localhost:6379/0",
    include=["thumbnails.tasks"],
)
app.conf.task_default_queue = "tiny"
