"""A folder of photos becomes one picture: a task for each photo, and a last one for the sheet.

Run a worker for it:  celery -A contact_sheet worker --loglevel INFO
"""

from celery import Celery

import photos

app = Celery("contact_sheet", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# tasks.py uses the same Redis. With a queue of our own, its worker never takes our messages.
app.conf.task_default_queue = "contact_sheet"


@app.task
def make_thumbnail(photo: str, thumbnail: str) -> dict[str, str]:
    """Make the thumbnail of one photo. Paths travel in messages, pictures stay on the disk."""
    try:
        photos.shrink(photo, thumbnail)
    except photos.BadPhoto as reason:
        # One photo that raises would stop the whole sheet: the last task of a chord never runs
        # when one before it has failed. So a bad photo is a result like any other.
        return {"photo": photo, "reason": str(reason)}
    return {"photo": photo, "thumbnail": thumbnail}


@app.task
def assemble(results: list[dict[str, str]], folder: str, out: str) -> int:
    """Put the thumbnails on one sheet, in the order they came in. Return how many there are."""
    good = [result for result in results if "thumbnail" in result]
    if good:
        photos.draw_sheet(good, folder, out)
    return len(good)
