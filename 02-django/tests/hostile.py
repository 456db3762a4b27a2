"""What a hostile visitor may send: about 25 kinds of forms, varied by chance with a seed."""

import random
import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO

from PIL import Image
from serving import multipart, picture

HTML = b"<script>alert('hostile')</script>"
PLACE = {1: "N", 2: (53.0, 32.0, 0.0), 3: "E", 4: (9.0, 59.0, 0.0)}
NAMES = [
    b"../../etc/passwd",
    b"/etc/passwd",
    b"..\\..\\windows\\win.ini",
    b"photo.jpg\x00.php",
    b"long" * 2000 + b".jpg",
    b"<script>alert('hostile')</script>.jpg",
    b"&lt;b&gt; & <b onmouseover=alert(1)>.jpg",
    b"two\nlines.jpg",
    b"two%0d%0alines.jpg",
    b".",
    b"..",
    b"",
    b"\xff\xfe\xed\xa0\x80.jpg",
    "\u202egpj.exe \U0001f304".encode() * 20,
    b"'; DROP TABLE photos; --",
    b"$(touch hostile).jpg",
    b"../secret-key",
    b"{{ settings.SECRET_KEY }}.jpg",
]


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


@cache
def zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def png(width: int, height: int, data: bytes, *extra: bytes) -> bytes:
    """A PNG of one bit for each pixel, whose header says whatever it likes."""
    header = chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0]))
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", header, *extra, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )


@cache
def unfolding(width: int, height: int) -> bytes:
    """A picture bomb: some kilobytes that unfold to `width` times `height` pixels."""
    rows = zlib.compressobj(9)
    line = bytes(width // 8 + 1)
    return png(width, height, b"".join(rows.compress(line) for _ in range(height)) + rows.flush())


def gif(width: int, height: int, frames: int) -> bytes:
    """A GIF of tiny frames on a screen that may be huge."""
    frame = b"!\xf9\x04\x00\x01\x00\x00\x00" + b",\0\0\0\0\1\0\1\0\0" + b"\x02\x02D\x01\x00"
    return (
        (b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff")
        + frame * frames
        + b";"
    )


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose header lies about its size."""
    photo = bytearray(picture(size=(64, 48)))
    start = photo.index(b"\xff\xc0") + 5
    photo[start : start + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(photo)


def archive() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as jar:
        jar.writestr("hostile.html", HTML)
    return file.getvalue()


def with_exif(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = orientation, "hostile camera"
    exif[0x8825] = PLACE
    return picture(size=(300, 200), exif=exif, comment=HTML, icc_profile=HTML)


def damaged(chance: random.Random, kind: str) -> bytes:
    """A picture with some wrong bytes, most of them at its beginning."""
    data = bytearray(picture(kind, size=(200, 100)))
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(min(len(data), chance.choice((64, 600, len(data)))))] = (
            chance.randrange(256)
        )
    return bytes(data)


KINDS = ("JPEG", "PNG", "GIF", "WEBP")


def forms(chance: random.Random, count: int):
    """Yields the kind of a form, its body and its content type."""
    makers = {name: make for name, make in globals().items() if name.startswith("form_")}
    for number in range(count):
        name = list(makers)[number % len(makers)]
        body, content_type = makers[name](chance, number // len(makers))
        yield name.removeprefix("form_"), body, content_type


def one(content: bytes, name: bytes = b"photo.jpg", kind: str = "image/jpeg", field="photos"):
    return multipart((field, name, content, kind))


def form_wrong_type(chance, turn):
    return one(chance.randbytes(chance.randint(1, 5000)), kind="application/x-php")


def form_truncated(chance, turn):
    whole = picture(KINDS[turn % 4], size=(200, 150))
    return one(whole[: chance.randrange(1, len(whole))])


def form_damaged(chance, turn):
    return one(damaged(chance, KINDS[turn % 4]))


def form_png_bomb(chance, turn):
    side = (30_000, 14_000, 9_000, 7_200, 7_000)[turn % 5]
    return one(unfolding(side, side))


def form_png_that_lies(chance, turn):
    size = chance.choice([(0, 0), (1, 2**31 - 1), (2**31 - 1, 2**31 - 1), (6000, 8000), (9, 9)])
    return one(png(*size, zeros(100 * turn)))


def form_png_with_a_text_bomb(chance, turn):
    text = chunk(b"zTXt", b"Comment\0\0" + zeros(50_000_000))
    profile = chunk(b"iCCP", b"icc\0\0" + zeros(50_000_000))
    return one(png(8, 8, zeros(16), *[text, profile][turn % 2 :] * (turn + 1)))


def form_gif_of_many_frames(chance, turn):
    return one(gif(50, 50, chance.randint(1000, 20_000)))


def form_gif_of_a_huge_screen(chance, turn):
    return one(gif(chance.randint(8_000, 65_535), 65_535, 1))


def form_jpeg_that_lies(chance, turn):
    return one(jpeg_of_size(chance.choice((0, 5000, 65_000)), chance.choice((0, 5000, 65_000))))


def form_polyglot(chance, turn):
    return one(picture(KINDS[turn % 4], size=(90, 60)) + (HTML, archive())[turn % 2])


def form_gif_that_is_html(chance, turn):
    return one(b"GIF89a/*" + HTML * (turn + 1) + b"*/=1;", b"photo.gif.html", "text/html")


def form_empty(chance, turn):
    return one(b"", chance.choice(NAMES))


def form_name_of_a_picture(chance, turn):
    return one(picture(size=(30, 20)), NAMES[turn % len(NAMES)])


def form_name_of_another_file(chance, turn):
    return one(b"no picture", NAMES[(turn + 9) % len(NAMES)])


def form_large(chance, turn):
    return one(picture() + bytes((40 if turn == 0 else chance.randint(3, 19)) * 1024**2))


def form_many(chance, turn):
    content = picture(size=(9, 9)) if turn == 0 else b"no picture"
    count = (50, 50, 600)[turn] if turn < 3 else chance.randint(15, 20)
    names = [
        "".join(chr(chance.randrange(0x1F300, 0x1F600)) for _ in range(60)) for _ in range(count)
    ]
    return multipart(*[("photos", name.encode(), content, "image/jpeg") for name in names])


def form_other_field(chance, turn):
    return one(picture(size=(30, 20)), field=chance.choice(("photo", "", "photos[]", "album")))


def form_text_instead_of_a_file(chance, turn):
    body, kind = one(b"../../etc/passwd")
    return body.replace(b'; filename="photo.jpg"', b""), kind


def form_no_form(chance, turn):
    kinds = (
        "application/json",
        "text/plain",
        "multipart/form-data",
        "",
        "multipart/mixed;boundary=",
    )
    return picture(size=(30, 20)), kinds[turn % len(kinds)]


def form_cut_off(chance, turn):
    body, kind = one(picture(size=(30, 20)))
    return body[: chance.randrange(len(body))], kind


def form_vector(chance, turn):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg">' + HTML + b"</svg>"
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n(touch hostile) system\n%%EOF\n"
    return one((svg, eps, b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF")[turn % 3])


def form_other_formats(chance, turn):
    kinds = ("TIFF", "BMP", "PCX", "PPM", "ICO", "TGA", "PDF", "EPS", "JPEG2000", "AVIF")
    return one(picture(kinds[turn % 8], size=(64, 64)))


def form_place(chance, turn):
    return one(with_exif(turn % 9))


def form_damaged_exif(chance, turn):
    photo = bytearray(with_exif())
    for _ in range(20):
        photo[chance.randrange(24, 200)] = chance.randrange(256)
    return one(bytes(photo))


def form_animation(chance, turn):
    frames = [Image.new("RGB", (40, 30), (number, 0, 0)) for number in range(30)]
    file = BytesIO()
    frames[0].save(file, ("WEBP", "PNG", "GIF")[turn % 3], save_all=True, append_images=frames[1:])
    return one(file.getvalue())
