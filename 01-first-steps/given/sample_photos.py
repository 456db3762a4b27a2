"""Given: draw sample photos, the same ones each time:  python sample_photos.py FOLDER --count 49

Nobody should need photos of their own to start. These are landscapes: a sky, a sun, hills, and
now and then a lake that mirrors them. They have 8 million pixels, as from a telephone, because
a thumbnail must be some work. Nothing in this file knows of Celery.
"""

import random
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import click
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageOps

SIZE = (3200, 2400)  # pixels of a photo
SKETCH = (800, 600)  # pixels in which it is drawn first
SKIES = (  # the colour above, at the horizon, and of the farthest hill
    ("#1b3a6b", "#f7b267", "#7a5c7e"),
    ("#3d7ebf", "#dcefff", "#7f9fb5"),
    ("#20124d", "#e86a92", "#5b3a6b"),
    ("#0b1d3a", "#4f7ca8", "#274060"),
    ("#6fa8a0", "#fbe6c2", "#8fa88b"),
    ("#c94f4f", "#ffd9a0", "#8a4f5d"),
)
PLACES = ("harbour", "ridge", "meadow", "island", "valley", "pass", "shore", "moor", "bay")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=49, help="How many photos.")
def main(folder: Path, count: int) -> None:
    """Draw COUNT sample photos into FOLDER. Those that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [number for number in range(count) if not path_of(folder, number).exists()]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(draw, [folder] * len(numbers), numbers):
            pass
    print(f"{count} photos are in {folder}")


def path_of(folder: Path, number: int) -> Path:
    return folder / f"{PLACES[number % len(PLACES)]}-{number:03}.jpg"


def draw(folder: Path, number: int) -> None:
    chance = random.Random(number)
    above, horizon, far = chance.choice(SKIES)
    width, height = SKETCH
    level = int(height * chance.uniform(0.5, 0.65))

    gradient = Image.linear_gradient("L").resize((width, level))
    photo = Image.new("RGB", SKETCH, far)
    photo.paste(ImageOps.colorize(gradient, above, horizon), (0, 0))

    glow = Image.new("L", SKETCH)
    x, y, r = chance.uniform(0.1, 0.9) * width, chance.uniform(0.25, 0.9) * level, 30
    for step in range(24, 0, -1):
        reach = r * (1 + step * 0.25)
        box = (x - reach, y - reach, x + reach, y + reach)
        ImageDraw.Draw(glow).ellipse(box, fill=int(110 * (1 - step / 25) ** 2))
    ImageDraw.Draw(glow).ellipse((x - r, y - r, x + r, y + r), fill=255)
    photo.paste("#fff6dd", mask=glow.filter(ImageFilter.GaussianBlur(8)))

    layers = chance.randint(3, 5)
    for layer in range(layers):
        near = layer / (layers - 1)
        colour = blend(far, "#101a1a", near)
        base = level - 48 + int(near * (height - level) * 0.8)
        ridge = mountains(chance, width, base, 120 * (1 - 0.55 * near))
        ImageDraw.Draw(photo).polygon([(0, height), *ridge, (width, height)], fill=colour)
    if chance.random() < 0.4:
        add_lake(photo, chance, level)

    # Under a hidden name until it is whole: Ctrl-C must not leave half a photo behind.
    unfinished = folder / f".{number}.part"
    photo.resize(SIZE, Image.Resampling.BICUBIC).save(unfinished, "JPEG", quality=88)
    unfinished.rename(path_of(folder, number))


def blend(one: str, other: str, share: float) -> tuple[int, ...]:
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return tuple(round(a + (b - a) * share) for a, b in pairs)


def mountains(
    chance: random.Random, width: int, base: int, height: float
) -> list[tuple[int, float]]:
    """A ridge from left to right: a line whose middles are moved, again and again."""
    points = [chance.uniform(0, height) for _ in range(3)]
    for _ in range(7):
        height *= 0.52
        between = [
            (left + right) / 2 + chance.uniform(-height, height) / 2
            for left, right in pairwise(points)
        ]
        pairs = zip(points, between, strict=False)
        points = [point for pair in pairs for point in pair] + points[-1:]
    return [(round(i * width / (len(points) - 1)), base - y) for i, y in enumerate(points)]


def add_lake(photo: Image.Image, chance: random.Random, level: int) -> None:
    """Mirror what is above the waterline, a little darker and blurred."""
    line = level + chance.randint(30, 70)
    depth = min(line, photo.height - line)
    mirror = ImageOps.flip(photo.crop((0, line - depth, photo.width, line)))
    mirror = mirror.filter(ImageFilter.GaussianBlur(3)).point(lambda value: value * 0.82)
    photo.paste(mirror, (0, line))


if __name__ == "__main__":
    main()
