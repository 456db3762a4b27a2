"""A folder of photos is the list of what is to be done:  celery -A studio worker"""

import time
from pathlib import Path

from celery import Celery

app = Celery("studio", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task(ignore_result=True)
def develop(folder, name):
    """Develop inbox/<name>. Its result is ready/<name>, or failed/<name> with the reason."""
    # TODO: this message may come twice, and the work is slow and costs chemicals.
    with open(Path(folder) / "chemicals.txt", "a") as bill:
        bill.write(f"{name}\n")
    time.sleep(0.1)
    (Path(folder) / "ready" / name).write_text(f"developed {name}")


def resend(folder):
    """Send again what stands still: what is in the inbox and has no result. Return how many."""
    sent = 0
    # TODO: look at the files.
    return sent
