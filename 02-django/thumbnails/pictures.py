"""Given: photos on the disk. Nothing in this file knows of Django or Celery."""

import os
from pathlib import Path

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 50_000_000  # a file of some kilobytes can unfold to gigabytes: a picture bomb


class BadPicture(Exception):
    """This file cannot become a thumbnail. The text says why, in words for whoever sent it."""


def check(file) -> None:
    """Look at the first bytes of a file. Raises `BadPicture`. Quick, and needs little memory."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        raise BadPicture("far too many pixels") from None
    except (OSError, ValueError, SyntaxError):
        raise BadPicture("not a JPEG, PNG, WebP or GIF picture") from None
    if width * height > MAX_PIXELS:
        raise BadPicture(f"{width} × {height} pixels are too many")


def shrink(source: str, target: Path, edge: int) -> None:
    """Write a picture whose longer edge has `edge` pixels. Raises `BadPicture`.

    It is painted again: no place and no name of the camera, nothing that was hidden in the file.
    """
    check(source)
    try:
        with Image.open(source, formats=FORMATS) as picture:
            picture.draft("RGB", (edge, edge))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        raise BadPicture(f"damaged: {error}") from None
    upright.thumbnail((edge, edge))
    painted = Image.new("RGB", upright.size, "white")
    painted.paste(upright, mask=upright)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    painted.save(unfinished, "JPEG", quality=85)
    unfinished.replace(target)  # in one step: nobody ever sees half a picture
