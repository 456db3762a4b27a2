"""Tasks for the notebook of chapter 01: a photo studio that waits, computes and is sent away.

A task in a cell of a notebook would exist in that notebook only. A worker imports a module.
"""

import time

from celery import Celery

app = Celery("tasks", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def download():
    """Wait, as for an answer from far away. This needs no core."""
    time.sleep(0.2)


@app.task
def sharpen():
    """Compute. This needs a core for itself."""
    return sum(number * number for number in range(3_000_000))


@app.task
def print_poster():
    time.sleep(8)


@app.task
def print_photo():
    time.sleep(0.4)


def upload(earlier_tries):
    """The archive is down, and up again for the fourth try."""
    time.sleep(0.2)
    if earlier_tries < 3:
        raise ConnectionError("the archive is down")


@app.task(bind=True, autoretry_for=(ConnectionError,), default_retry_delay=1)
def upload_steadily(self):
    upload(self.request.retries)


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_backoff=True, retry_jitter=False)
def upload_with_backoff(self):
    upload(self.request.retries)
