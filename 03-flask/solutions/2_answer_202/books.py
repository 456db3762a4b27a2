"""Photo books, in one file:  flask --app books run  and  celery -A books worker"""

import os
from pathlib import Path

from celery import Celery
from flask import Flask, abort, request, url_for
from redis import Redis

flask_app = Flask("books")
celery_app = Celery("books", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
celery_app.conf.task_track_started = True  # a task that runs is STARTED, and no longer PENDING
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


@celery_app.task
def bind(album):
    """Make a book of the photos in a folder. That takes minutes."""
    photos = [photo.read_bytes() for photo in sorted(Path(album).iterdir())]
    return {"pages": len(photos)}


@flask_app.post("/books")
def order():
    """Somebody orders a book of an album."""
    id = bind.delay(request.form["album"]).id
    memory.set(f"book:{id}", 1, ex=86400)
    return {"id": id}, 202, {"Location": url_for("show", id=id)}


@flask_app.get("/books/<id>")
def show(id):
    """How it stands with an order."""
    if not memory.exists(f"book:{id}"):
        abort(404)
    result = celery_app.AsyncResult(id)
    state = result.state
    if state == "SUCCESS":
        return {"state": "done", "book": result.result}
    if state == "FAILURE":
        return {"state": "failed", "reason": str(result.result)}
    return {"state": "waiting" if state == "PENDING" else "running"}
