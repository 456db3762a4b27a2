"""Three hundred hostile uploads, to the real web server and a real worker."""

import html
import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from hostile import HTML, form_many, form_place, forms, one
from PIL import Image
from serving import Visitor, multipart, picture, serve, states

from lab.bench import wait_until

CHAPTER = Path(__file__).parent.parent
COUNT = 300
# Everything that may ever lie below MEDIA_ROOT when nobody works.
OURS = re.compile(
    r"[0-9a-f]{32}(/(inbox|failed|ready)(/\d{19}-[0-9a-f]{8})?|/ready/\d{19}-[0-9a-f]{8}"
    r"/(small|large)\.jpg)?"
)


@pytest.fixture(scope="module")
def web(bench):
    return serve(bench)


def listing(folder: Path, *but: str) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and its time, but for some folders."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(but) and "__pycache__" not in name:
            found[name] = (path.stat().st_size, path.stat().st_mtime_ns)
    return found


def family(pid: int) -> list[psutil.Process]:
    """A process and its children."""
    process = psutil.Process(pid)
    return [process, *process.children()]


def resident(server) -> int:
    """Bytes of memory that a web server's processes hold at this moment."""
    return sum(process.memory_info().rss for process in family(server.pid))


@pytest.mark.takes(30)
def test_300_hostile_uploads_do_no_harm(bench, worker, web):
    server, url = web
    media = bench.folder / "data" / "media"
    warm_up = Visitor(url)
    for _ in range(10):
        warm_up.upload(picture())
    wait_until(
        lambda: "waiting" not in states(media).values(), "the first are not done", log=worker.log
    )
    wait_until(lambda: not bench.xray().unacked, "the worker has not finished with the first")
    chapter = listing(CHAPTER / "album") | listing(CHAPTER / "thumbnails")
    data = listing(bench.folder / "data", "media")
    memory = resident(server)
    servers, pool = family(server.pid), worker.pool()

    def send(form):
        kind, body, content_type = form
        visitor = Visitor(url)
        answer = visitor.upload_raw(body, content_type)
        page = visitor.get("/")
        return kind, answer, page

    kinds = {}
    with ThreadPoolExecutor(4) as crowd:
        for kind, answer, page in crowd.map(send, forms(random.Random(1), COUNT)):
            kinds.setdefault(kind, []).append(answer.status_code)
            assert answer.status_code < 500, f"{kind}: {answer.text[:3000]}"
            assert page.status_code == 200, f"{kind}: {page.text[:3000]}"
            assert HTML.decode() not in page.text, kind
            assert "<b onmouseover" not in page.text, kind
    assert sum(map(len, kinds.values())) == COUNT and len(kinds) >= 20
    grown = resident(server) - memory
    assert grown < 100 * 1024**2, f"the web server grew by {grown / 1024**2:.0f} MB"

    wait_until(
        lambda: "waiting" not in states(media).values(),
        "some photos are neither ready nor failed",
        timeout=240,
        log=worker.log,
    )
    wait_until(lambda: not bench.xray().unacked, "the worker has not finished")
    found = states(media)
    assert "ready" in found.values() and "failed" in found.values()
    ends = {end: list(found.values()).count(end) for end in ("ready", "failed")}
    print(f"{COUNT} uploads: {ends}. The web server grew by {grown / 1024**2:.0f} MB.")
    assert server.running and worker.running
    assert [each for each in servers if not each.is_running()] == [], server.log()
    assert worker.pool() == pool, worker.log()

    for path in media.rglob("*"):
        name = path.relative_to(media).as_posix()
        assert OURS.fullmatch(name), f"not a name of ours: {name}"
    assert listing(bench.folder / "data", "media") == data
    assert listing(CHAPTER / "album") | listing(CHAPTER / "thumbnails") == chapter
    for reason in media.glob("*/failed/*"):
        text = reason.read_text()
        assert text.startswith("damaged: ") and str(bench.folder) not in text, text
    for path in media.glob("*/ready/*/*.jpg"):
        check_served(path.read_bytes())


def check_served(photo: bytes) -> None:
    """A JPEG, painted again: nothing that was in the upload but its pixels."""
    with Image.open(BytesIO(photo), formats=["JPEG"]) as image:
        image.load()
        assert max(image.size) <= 1600
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert photo.endswith(b"\xff\xd9") and photo.count(b"\xff\xd9") == 1
    assert b"hostile" not in photo and b"PK\x05\x06" not in photo


def test_what_is_served_shows_no_place_no_camera_and_no_comment(worker, web):
    visitor = Visitor(web[1])
    visitor.upload_raw(*form_place(None, 6))  # and it was taken upright

    def shown() -> str:
        return visitor.get("/photos").text

    page = wait_until(lambda: "<img" in shown() and shown(), "it is not ready", log=worker.log)
    addresses = re.findall(r'"(/photos/[^"]+\.jpg)"', page)
    assert len(addresses) == 2
    for address in addresses:
        answer = visitor.get(address)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        check_served(answer.content)
        with Image.open(BytesIO(answer.content)) as image:
            assert image.width < image.height


def test_a_name_is_shown_as_text(web):
    visitor = Visitor(web[1])
    name = b"<img src=x onerror=alert(1)>"
    visitor.upload_raw(*one(b"no picture", name))
    page = visitor.get("/").text
    assert html.escape(name.decode()) in page
    assert name.decode() not in page


def test_too_many_photos_are_refused_in_words(web):
    visitor = Visitor(web[1])
    visitor.upload_raw(*form_many(random.Random(2), 0))
    assert "Send 20 photos at once, not more." in visitor.get("/").text


def test_messages_that_nobody_reads_do_not_pile_up(web):
    visitor, chance = Visitor(web[1]), random.Random(3)
    for _ in range(10):
        assert visitor.upload_raw(*form_many(chance, 5)).status_code == 302
    page = visitor.get("/").text
    assert page.count("not a JPEG, PNG, WebP or GIF picture.") == 3
    assert "more were not taken either." in page


@pytest.mark.parametrize("field", ["photo", ""])
def test_a_form_without_photos_says_what_to_do(web, field):
    visitor = Visitor(web[1])
    visitor.upload_raw(*multipart((field, b"photo.jpg", picture(size=(9, 9)), "image/jpeg")))
    assert "Choose some photos first." in visitor.get("/").text


def test_a_request_that_is_far_too_large_is_refused_before_it_is_sent(web):
    """Only the first lines go out: the answer does not wait for the rest."""
    address = urlsplit(web[1])
    with socket.create_connection((address.hostname, address.port), timeout=60) as line:
        line.sendall(
            f"POST /upload HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\n"
            f"Content-Length: {101 * 1024**2}\r\n\r\n".encode()
        )
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"more than 100 MB together. Please send fewer at once." in answer


def test_a_request_that_is_far_too_large_fills_neither_memory_nor_disk(bench, web):
    _, url = web
    visitor = Visitor(url)
    before = listing(bench.folder / "tmp"), listing(bench.folder / "data")
    part = bytes(1024**2)

    def body():
        for _ in range(101):
            yield part
            assert listing(bench.folder / "tmp") == before[0]

    headers = {**visitor.token, "Content-Length": str(101 * len(part))}
    try:
        answer = visitor.post("/upload", content=body(), headers=headers)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server has answered, closed the door and does not listen any more
    assert (listing(bench.folder / "tmp"), listing(bench.folder / "data")) == before
    assert visitor.get("/").status_code == 200
