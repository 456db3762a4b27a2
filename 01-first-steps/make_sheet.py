"""Turn a folder of photos into one contact sheet:  python make_sheet.py FOLDER --out sheet.jpg"""

import sys
import tempfile
from pathlib import Path

import click
from celery import chord
from redis.exceptions import ConnectionError

import photos
import preflight
import report
from contact_sheet import assemble, make_thumbnail


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default="sheet.jpg", help="The sheet.")
@click.option("--patience", default=20.0, help="Give up when no photo is finished for so long (s).")
def make_sheet(folder: Path, out: Path, patience: float) -> None:
    """Put a thumbnail of every photo in FOLDER on one contact sheet."""
    folder, out = folder.resolve(), out.resolve()
    photos.check_out(out)
    files = photos.find(folder, out)
    preflight.check()
    try:
        sys.exit(send(files, folder, out, patience))
    except ConnectionError as error:
        sys.exit(f"The broker has stopped ({error}). Start it, then this command again.")


def send(files: list[Path], folder: Path, out: Path, patience: float) -> int:
    """Send a task for each photo, wait for the sheet, and say what became of it."""
    with tempfile.TemporaryDirectory(prefix=".thumbnails-", dir=out.parent) as scratch:
        header = [
            make_thumbnail.s(str(file), f"{scratch}/{number}.jpg")
            for number, file in enumerate(files)
        ]
        sheet = chord(header)(assemble.s(str(folder), str(out)))
        report.follow(sheet, patience)
        code = report.tell(files, sheet, out)
        # All results have been read. Redis would keep them for a day: let them go.
        sheet.parent.forget()
        sheet.forget()
        return code


if __name__ == "__main__":
    make_sheet()
