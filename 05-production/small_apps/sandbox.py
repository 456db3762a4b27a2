"""A sandbox: a small app to try things with. See scale.md."""

import multiprocessing
import subprocess
import time

from celery import Celery

app = Celery("sandbox", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
app.conf.task_time_limit = 5  # seconds


@app.task
def work(name: str, seconds: float = 0) -> str:
    """Be busy for so many seconds."""
    time.sleep(seconds)
    return f"{name} is done"


@app.task
def fork() -> None:
    """Start a process, as Python does."""
    multiprocessing.Process(target=print).start()


@app.task
def spawn() -> str:
    """Start another program."""
    return subprocess.run(["echo", "printed"], capture_output=True, text=True, timeout=10).stdout
