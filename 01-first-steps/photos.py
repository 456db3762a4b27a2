"""Given: finding, shrinking and drawing photos, with Pillow. Nothing here knows of Celery."""

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

    What cannot be read, be it a folder, comes as well: it is named, not forgotten. Leaves
    the program with one sentence when there is no folder, or nothing in it.
    """
    if not folder.is_dir():
        sys.exit(f"{folder} is not a folder." if folder.exists() else f"There is no {folder}.")
    every = (path for path in folder.rglob("*") if path != out)
    files = (path for path in every if path.is_file() or not os.access(path, os.R_OK))
    visible = (path for path in files if not is_hidden(path.relative_to(folder)))
    found = sorted(visible, key=lambda path: path.relative_to(folder).as_posix())
    return found or sys.exit(f"There is no file in {folder} that could be a photo.")


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def shrink(photo: str, thumbnail: str) -> None:
    """Write a thumbnail of a photo, turned the right way up."""
    try:
        with Image.open(photo) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadPhoto(f"would unpack to {image.width} x {image.height} pixels")
            ImageOps.exif_transpose(image, in_place=True)
            small = ImageOps.contain(in_colours(image), THUMBNAIL)
            small.save(thumbnail, "JPEG", quality=90)
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


def in_colours(image: Image.Image) -> Image.Image:
    """The same picture in red, green and blue, on paper where it is transparent."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, PAPER)
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def check_out(out: Path) -> None:
    """Leave the program with one sentence when the sheet could not be written in the end."""
    if out.suffix.lower() not in (".jpg", ".jpeg"):
        sys.exit(f"The sheet is a JPEG, and {out} does not end with .jpg.")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        sys.exit(f"{out} cannot be written: is its folder there, and yours?")


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
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    short = name
    while draw.textlength(short, font) > THUMBNAIL[0]:
        half = (len(short) - 2) // 2
        short = f"{name[:half]}…{name[-half:]}"
    return short
