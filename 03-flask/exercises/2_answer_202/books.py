"""Photo books, in one file:  flask --app books run  and  celery -A books worker"""

import os
from pathlib import Path

from celery import Celery
from flask import Flask, request  # TODO: three more names will help.
from redis import Redis

flask_app = Flask("books")
celery_app = Celery("books", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
celery_app.conf.task_track_started = True  # a task that runs is STARTED, and no longer PENDING
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


# TODO: a worker should do this.
def bind(album):
    """Make a book of the photos in a folder. That takes minutes."""
    photos = [photo.read_bytes() for photo in sorted(Path(album).iterdir())]
    return {"pages": len(photos)}


@flask_app.post("/books")
def order():
    """Somebody orders a book of an album."""
    # TODO: do not do it here. Send it, remember its id, and say where to look for it.
    return bind(request.form["album"])


@flask_app.get("/books/<id>")
def show(id):
    """How it stands with an order."""
    # TODO: tell the truth.
    return {"state": "waiting"}
