"""Thumbnails as tasks: a reusable app. It knows no project, no settings and no Celery app.

Whoever uses it says where things are: `source` is the photo, `target` the folder that shall hold
its thumbnails, `failure` the file for the reason if there will be none.
"""

import shutil
from pathlib import Path

from celery import chord, shared_task

from thumbnails import pictures

SIZES = {"small": 320, "large": 1600}  # name and longer edge in pixels


@shared_task(ignore_result=True)
def make(source: str, target: str, failure: str) -> None:
    """Begin the work on one photo: a task for each size, and one when all are there."""
    sizes = [shrink.s(source, target, size).on_error(give_up.s(failure)) for size in SIZES]
    chord(sizes)(show.si(target))


@shared_task
def shrink(source: str, target: str, size: str) -> None:
    """Make one thumbnail, in a folder that nobody looks at yet."""
    if Path(target).exists():
        return  # this message has come twice, and all is done
    folder = Path(f"{target}.making")
    folder.mkdir(parents=True, exist_ok=True)
    pictures.shrink(source, folder / f"{size}.jpg", SIZES[size])


@shared_task(ignore_result=True)
def show(target: str) -> None:
    """Show all sizes at once: one rename, and the photo is ready."""
    making = Path(f"{target}.making")
    if making.exists() and not Path(target).exists():
        making.rename(target)
    shutil.rmtree(making, ignore_errors=True)


@shared_task(ignore_result=True)
def give_up(request, error, traceback, failure: str) -> None:
    """Write down why there will be no thumbnails. Celery calls this when a size has failed."""
    unfinished = Path(f"{failure}.part")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_text(str(error))
    unfinished.rename(failure)
