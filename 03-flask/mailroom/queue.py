"""Celery for a Flask application. This is the pattern that Flask's own documentation gives."""

from celery import Celery, Task
from flask import Flask


def celery_init_app(app: Flask) -> Celery:
    """A Celery app with the settings of `app`, whose tasks run in the context of `app`."""

    class FlaskTask(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask, include=["mailroom.tasks"])
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()  # every @shared_task in this process belongs to it now
    app.extensions["celery"] = celery_app
    return celery_app
