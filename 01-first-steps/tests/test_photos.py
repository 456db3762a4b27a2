"""The plain functions: no Celery, no broker, no worker."""

import os
import random
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import photos


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.effect_noise((640, 480), 80).convert("RGB").save(path)
    return path


def shrink(path: Path) -> Image.Image:
    thumbnail = path.parent / "thumbnail.jpg"
    photos.shrink(str(path), str(thumbnail))
    with Image.open(thumbnail) as image:
        image.load()
        return image


def reason(path: Path) -> str:
    with pytest.raises(photos.BadPhoto) as caught:
        shrink(path)
    return str(caught.value)


def test_a_thumbnail_fits_its_place_and_keeps_its_shape(tmp_path):
    for size, expected in (((640, 480), (240, 180)), ((480, 640), (135, 180)), ((9, 3), (240, 80))):
        path = tmp_path / "photo.png"
        Image.new("RGB", size).save(path)
        assert shrink(path).size == expected


def test_a_photo_taken_upright_stands_upright(tmp_path):
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6  # orientation: the camera was turned by a quarter
    Image.new("RGB", (640, 480)).save(path, exif=exif)
    assert shrink(path).size == (135, 180)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_colour_becomes_a_thumbnail(tmp_path, mode):
    path = tmp_path / ("photo.tif" if mode in ("CMYK", "I;16") else "photo.png")
    Image.new(mode, (64, 48)).save(path)
    assert shrink(path).mode == "RGB"


def test_what_is_transparent_shows_the_paper(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGBA", (240, 180), (255, 0, 0, 0)).save(path)
    assert min(shrink(path).getpixel((120, 90))) > 230


def test_sixteen_bits_of_grey_stay_grey(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("I;16", (240, 180), 128 * 256).save(path)
    assert abs(shrink(path).getpixel((120, 90))[0] - 128) < 3


def test_a_text_is_not_a_picture(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_text("I am a text with the name of a photo.")
    assert reason(path) == "not a picture"


def test_an_empty_file_is_not_a_picture(tmp_path):
    path = tmp_path / "photo.jpg"
    path.touch()
    assert reason(path) == "not a picture"


def test_a_photo_cut_short_is_damaged(photo):
    photo.write_bytes(photo.read_bytes()[:-2000])
    assert reason(photo).startswith("damaged: image file is truncated")


def test_a_photo_that_vanished_is_named(tmp_path):
    assert reason(tmp_path / "gone.jpg") == f"not found: {tmp_path / 'gone.jpg'}"


def test_a_photo_we_may_not_read_says_so(photo):
    if os.geteuid() == 0:
        pytest.skip("root may read everything: run the tests as an ordinary user")
    photo.chmod(0)
    assert reason(photo) == "not readable: permission denied"


def test_a_picture_bomb_is_refused_before_it_unpacks(tmp_path):
    """A PNG of 60 000 x 60 000 white pixels: half a megabyte on the disk, 3.6 GB in memory."""
    path = tmp_path / "bomb.png"
    side = 60_000
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = side.to_bytes(4) * 2 + bytes([1, 0, 0, 0, 0])
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    assert reason(path) == "would unpack to 60000 x 60000 pixels"


def test_no_damage_raises_anything_but_a_reason(photo):
    """Whatever bytes are wrong, the answer is a thumbnail or a reason, never another exception."""
    chance, whole = random.Random(1), photo.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 40)):
            damaged[chance.randrange(len(damaged) // 4)] = chance.randrange(256)
        photo.write_bytes(damaged)
        try:
            shrink(photo)
        except photos.BadPhoto:
            pass


def test_files_come_in_the_order_of_their_names_without_hidden_ones(tmp_path):
    for name in ("b.jpg", "a/z.jpg", ".hidden.jpg", ".cache/x.jpg", "sheet.jpg", "-dash.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = photos.find(tmp_path, tmp_path / "sheet.jpg")
    assert [str(path.relative_to(tmp_path)) for path in found] == ["-dash.jpg", "a/z.jpg", "b.jpg"]


@pytest.mark.parametrize(
    "name", ["short.jpg", "a" * 200 + ".jpg", "🌄 'the' \"hill\".jpg", "\udcff"]
)
def test_a_caption_fits_below_its_thumbnail(name):
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    font = photos.ImageFont.load_default(14)
    assert draw.textlength(photos.fit(name, draw, font), font) <= photos.THUMBNAIL[0]
