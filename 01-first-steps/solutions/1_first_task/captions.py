from pathlib import Path

from celery import Celery

app = Celery("captions", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def caption(photo):
    return Path(photo).stem.upper()
