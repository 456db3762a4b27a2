"""Finding, shrinking and drawing photos, with Pillow. Nothing in this file knows of Celery."""

import math
import os
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

THUMBNAIL = (240, 180)  # pixels
CAPTION = 26  # pixels below each thumbnail
GAP = 16
PAPER, INK = "#f7f5f0", "#333333"

# A few kilobytes on the disk can unpack to gigabytes in memory. No camera makes more than this.
MOST_PIXELS = 200_000_000
Image.MAX_IMAGE_PIXELS = None  # we look for ourselves, before anything is unpacked


class BadPhoto(Exception):
    """This file cannot go on the sheet. The message says why."""


def find(folder: Path, out: Path) -> list[Path]:
    """All files below a folder, in the order of their names, without hidden ones and `out`.

    Leaves the program with one sentence when there is no folder, or nothing in it.
    """
    if not folder.is_dir():
        sys.exit(f"There is no folder {folder}.")
    files = (path for path in folder.rglob("*") if path.is_file() and path != out)
    visible = (path for path in files if not is_hidden(path.relative_to(folder)))
    found = sorted(visible, key=lambda path: path.relative_to(folder).as_posix())
    return found or sys.exit(f"There is no photo in {folder}: it is empty.")


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def shrink(photo: str, thumbnail: str) -> None:
    """Write a thumbnail of a photo, turned the right way up."""
    try:
        with Image.open(photo) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadPhoto(f"would unpack to {image.width} x {image.height} pixels")
            ImageOps.exif_transpose(image, in_place=True)
            colours = image if image.mode == "RGB" else image.convert("RGB")
            ImageOps.contain(colours, THUMBNAIL).save(thumbnail, "JPEG", quality=90)
    except BadPhoto:
        raise
    except PermissionError:
        raise BadPhoto("not readable: permission denied") from None
    except FileNotFoundError as error:
        raise BadPhoto(f"not found: {error.filename}") from None
    except Image.UnidentifiedImageError:
        raise BadPhoto("not a picture") from None
    except Exception as error:  # Pillow's decoders raise nearly everything on a damaged file
        raise BadPhoto(f"damaged: {error}") from None


def draw_sheet(results: list[dict[str, str]], folder: str, out: str) -> None:
    """Draw all thumbnails on one sheet, row by row, each with its name below."""
    columns = math.ceil(math.sqrt(len(results)))
    rows = math.ceil(len(results) / columns)
    width, height = THUMBNAIL[0] + GAP, THUMBNAIL[1] + CAPTION + GAP
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, result in enumerate(results):
        left, top = GAP + index % columns * width, GAP + index // columns * height
        with Image.open(result["thumbnail"]) as thumbnail:
            middle = (THUMBNAIL[0] - thumbnail.width) // 2
            sheet.paste(thumbnail, (left + middle, top + THUMBNAIL[1] - thumbnail.height))
        name = fit(os.path.relpath(result["photo"], folder), draw, font)
        place = (left + THUMBNAIL[0] // 2, top + THUMBNAIL[1] + CAPTION // 2)
        draw.text(place, name, INK, font, anchor="mm")
    # The sheet appears whole or not at all: nobody ever opens one that is half written.
    unfinished = f"{out}.part"
    sheet.save(unfinished, "JPEG", quality=88)
    os.replace(unfinished, out)


def fit(name: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont) -> str:
    """A name that fits below a thumbnail: what is too long is cut in its middle."""
    name = name.encode(errors="replace").decode()
    short = name
    while draw.textlength(short, font) > THUMBNAIL[0]:
        half = (len(short) - 2) // 2
        short = f"{name[:half]}…{name[-half:]}"
    return short
