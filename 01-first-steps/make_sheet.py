"""Turn a folder of photos into one contact sheet:  python make_sheet.py FOLDER --out sheet.jpg"""

import sys
import tempfile
import time
from pathlib import Path

import click
from celery import chord
from celery.result import AsyncResult
from redis.exceptions import ConnectionError

import photos
import preflight
import report
from contact_sheet import assemble, make_thumbnail


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default="sheet.jpg")
@click.option("--patience", default=20.0, help="Give up when no photo is finished for so long (s).")
def make_sheet(folder: Path, out: Path, patience: float) -> None:
    """Put a thumbnail of every photo in FOLDER on one contact sheet."""
    folder, out = folder.resolve(), out.resolve()
    files = photos.find(folder, out)
    preflight.check()
    with tempfile.TemporaryDirectory(prefix=".thumbnails-", dir=out.parent) as scratch:
        header = [
            make_thumbnail.s(str(file), f"{scratch}/{number}.jpg")
            for number, file in enumerate(files)
        ]
        sheet = chord(header)(assemble.s(str(folder), str(out)))
        try:
            with click.progressbar(length=len(files), label="Photos", file=sys.stderr) as bar:
                wait_for(sheet, bar, patience)
            sys.exit(report.tell(files, sheet, out))
        except ConnectionError as error:
            sys.exit(f"The broker has stopped ({error}). Start it, then this command again.")


def wait_for(sheet: AsyncResult, bar, patience: float) -> None:
    """Move the bar until the sheet is ready, or until nothing has moved for `patience` seconds."""
    thumbnails, moved_at = sheet.parent.results, time.monotonic()
    while not sheet.ready() and time.monotonic() - moved_at < patience:
        time.sleep(0.2)
        finished = sum(thumbnail.ready() for thumbnail in thumbnails)
        if finished > bar.pos:
            bar.update(finished - bar.pos)
            moved_at = time.monotonic()


if __name__ == "__main__":
    make_sheet()
