"""Count the blurred photos of an album:  celery -A blurred worker"""

import os
from pathlib import Path

from celery import Celery
from redis import Redis

app = Celery("blurred", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


def is_blurred(photo):
    return b"blurred" in Path(photo).read_bytes()


@app.task  # TODO: to speak of itself, the task needs itself as an argument.
def count(photos):
    """Count the blurred ones. Returns {"blurred": ..., "seen": ...}: also when it was cancelled."""
    blurred = 0
    for photo in photos:
        # TODO: before every tenth photo, look whether to stop, and say how far you are.
        blurred += is_blurred(photo)
    return {"blurred": blurred, "seen": len(photos)}


# What the page does. It is complete: nothing is to be done here.


def progress(id):
    """How it stands, in words."""
    result = app.AsyncResult(id)
    info = result.info  # of update_state, or what was returned, or the exception: one look
    if isinstance(info, dict) and "of" in info:
        return f"{info['done']} of {info['of']}"
    return "over" if result.ready() else "no progress yet"


def cancel(id):
    """Ask the task to stop. It is not stopped by force."""
    memory.set(f"cancelled:{id}", 1, ex=3600)
