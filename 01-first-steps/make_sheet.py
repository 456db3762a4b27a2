"""Turn a folder of photos into one contact sheet:  python make_sheet.py FOLDER --out sheet.jpg"""

import sys
import tempfile
import time
from pathlib import Path

import click
from celery import chord
from celery.exceptions import TimeoutError
from celery.result import AsyncResult

import photos
import preflight
import report
from contact_sheet import assemble, make_thumbnail


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="sheet.jpg")
@click.option("--patience", default=20.0, help="Give up when no photo is finished for so long (s).")
def make_sheet(folder: Path, out: Path, patience: float) -> None:
    """Put a thumbnail of every photo in FOLDER on one contact sheet."""
    folder, out = folder.resolve(), out.resolve()
    files = photos.find(folder, out)
    if not files:
        sys.exit(f"{folder} is empty: there is no photo to put on a sheet.")
    preflight.check()
    with tempfile.TemporaryDirectory(prefix=".thumbnails-", dir=out.parent) as scratch:
        header = [
            make_thumbnail.s(str(file), f"{scratch}/{number}.jpg")
            for number, file in enumerate(files)
        ]
        sheet = chord(header)(assemble.s(str(folder), str(out)))
        with click.progressbar(length=len(files), label="Photos", file=sys.stderr) as bar:
            wait_for(sheet, bar, patience)
        sys.exit(report.tell(files, sheet, out))


def wait_for(sheet: AsyncResult, bar, patience: float) -> None:
    """Move the bar until the sheet is ready, or until nothing has moved for `patience` seconds."""
    thumbnails, moved_at = sheet.parent.results, time.monotonic()
    while not sheet.ready() and time.monotonic() - moved_at < patience:
        try:
            sheet.get(timeout=0.2, propagate=False)
        except TimeoutError:
            pass  # not yet: see how far the photos are
        finished = sum(thumbnail.ready() for thumbnail in thumbnails)
        if finished > bar.pos:
            bar.update(finished - bar.pos)
            moved_at = time.monotonic()


if __name__ == "__main__":
    make_sheet()
