"""A Flask application that mails an album. A worker sends the mails."""

from celery import Celery, Task
from flask import Flask


def celery_init_app(app):
    """A Celery app with the settings of `app`, whose tasks run in the context of `app`."""

    class FlaskTask(Task):
        def __call__(self, *args, **kwargs):
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask, include=["tasks"])
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
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
    celery_init_app(app)
    return app
