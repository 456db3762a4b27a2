"""Given: the Celery app. What it is set to, and why, stands in settings.py."""

from celery import Celery

app = Celery(
    "printshop", include=["printshop.tasks", "printshop.statement", "printshop.dead_letters"]
)
app.config_from_object("printshop.settings")
