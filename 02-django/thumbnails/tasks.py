"""Thumbnails as tasks: a reusable app. It knows no project, no settings and no Celery app.

Whoever uses it says where things are: `source` is the photo, `target` the folder that will hold
its thumbnails, `failure` the file for the reason if there will be none.
"""

import os
import shutil
from pathlib import Path
from uuid import uuid4

from celery import chord, shared_task

from thumbnails import pictures

SIZES = {"small": 320, "large": 1600}  # name and longer edge in pixels


@shared_task(ignore_result=True)
def make(source: str, target: str, failure: str) -> None:
    """Begin the work on one photo: a task for each size, and one when all are there."""
    making = f"{target}.{uuid4().hex}.making"  # of this job alone: a message may come twice
    sizes = [shrink.s(source, target, making, size) for size in SIZES]
    # In Redis, priority 0 goes first: what can be shown passes what is still to shrink.
    sizes = [each.set(priority=6).on_error(give_up.s(failure)) for each in sizes]
    chord(sizes)(show.si(source, target, making))


@shared_task
def shrink(source: str, target: str, making: str, size: str) -> None:
    """Make one thumbnail, in a folder that nobody looks at yet."""
    if Path(target).exists():
        return  # this message has come twice, and all is done
    pictures.shrink(source, Path(making) / f"{size}.jpg", SIZES[size])


@shared_task(ignore_result=True)
def show(source: str, target: str, making: str) -> None:
    """Show all sizes at once: one rename, and the photo is ready."""
    try:
        if Path(source).exists():  # else somebody removed the photo in the meantime
            Path(making).rename(target)
    except OSError:
        pass  # it is ready already: a rename never replaces a folder that has something in it
    shutil.rmtree(making, ignore_errors=True)


@shared_task(ignore_result=True)
def give_up(request, error, traceback, failure: str) -> None:
    """Write down why there will be no thumbnails. Celery calls this when a size has failed."""
    known = isinstance(error, pictures.BadPicture)
    unfinished = Path(f"{failure}.{os.getpid()}.part")  # all sizes may fail at the same time
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_text(str(error) if known else "the studio could not work on it")
    unfinished.rename(failure)
