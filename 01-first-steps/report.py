"""Given: what becomes of the photos: shown while it happens, told when it is over."""

import sys
import time
from pathlib import Path

import click
from celery.result import AsyncResult

from preflight import START_A_WORKER


def follow(sheet: AsyncResult, patience: float) -> None:
    """Move a bar until the sheet is ready, or until nothing has moved for `patience` seconds."""
    thumbnails = sheet.parent.results
    with click.progressbar(
        length=len(thumbnails), label="Photos", hidden=not sys.stdout.isatty()
    ) as bar:
        moved_at = time.monotonic()
        while not sheet.ready() and time.monotonic() - moved_at < patience:
            time.sleep(0.2)
            finished = sum(thumbnail.ready() for thumbnail in thumbnails)
            if finished > bar.pos:
                bar.update(finished - bar.pos)
                moved_at = time.monotonic()
        if sheet.ready():
            bar.update(len(thumbnails) - bar.pos)


def tell(files: list[Path], sheet: AsyncResult, out: Path) -> int:
    """Name each photo that is not on the sheet, and why. Return 0 when there is a sheet."""
    thumbnails = dict(zip(files, sheet.parent.results, strict=True))
    for file, thumbnail in thumbnails.items():
        if thumbnail.successful() and "reason" in thumbnail.result:
            print(f"Left out: {file}: {thumbnail.result['reason']}")
    if sheet.successful() and sheet.result:
        print(f"{sheet.result} of {len(files)} photos are on {out}")
        return 0
    if sheet.successful():
        print("There is no sheet: none of these files can be used.")
        return 1
    if sheet.failed():
        print(f"There is no sheet. A task has failed: {sheet.result!r}")
    for file, thumbnail in thumbnails.items():
        if not thumbnail.successful():
            print(f"Missing: {file}: {thumbnail.result or 'no worker has finished it'}")
    if not sheet.failed():
        print("There is no sheet. The worker that had these photos has stopped, or is too slow.")
        print(f"Look at its terminal. If it has stopped, start it again:  {START_A_WORKER}")
    print("Then run this command again.")
    return 1
