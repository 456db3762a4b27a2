"""Given: the mailroom of the studio: an album goes out by mail to its subscribers."""

from flask import Flask

from mailroom import api, errors, form, memory, pace
from mailroom.queue import celery_init_app


def create_app() -> Flask:
    """The application. Web processes and workers each make one."""
    app = Flask(__name__)
    app.config.from_object("mailroom.config")
    app.config.from_prefixed_env("MAILROOM")  # MAILROOM_RATE=5/second
    celery_init_app(app)
    memory.init_app(app)
    pace.init_app(app)
    errors.init_app(app)
    app.register_blueprint(form.bp)
    app.register_blueprint(api.bp)
    return app
