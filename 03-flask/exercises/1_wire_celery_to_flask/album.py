"""A Flask application that mails an album. A worker sends the mails."""

from celery import Celery  # TODO: one more name is needed.
from flask import Flask


def celery_init_app(app):
    """A Celery app with the settings of `app`, whose tasks run in the context of `app`."""
    # TODO: a task knows nothing of `app`. Who opens its context, each time a task runs?
    celery_app = Celery(app.name, include=["tasks"])
    celery_app.config_from_object(app.config["CELERY"])
    # TODO: a request runs in a thread of its own, and does not find this Celery app there.
    app.extensions["celery"] = celery_app
    return celery_app


def create_app():
    """The application factory."""
    app = Flask("album")
    app.config["SENDER"] = "studio@example.org"
    app.config["CELERY"] = {
        "broker_url": "redis://localhost:6379/3",
        "result_backend": "redis://localhost:6379/3",
        "task_default_queue": "mails",
    }
    # TODO: nobody calls celery_init_app.
    return app
