"""Workers die, brokers stop and hang, messages come twice: every photo is still there.

Each bad luck has a bench of its own, because it breaks it.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from serving import MANAGE, Visitor, picture, serve, states, wait_until_done

from lab import Bench
from lab.bench import Process, wait_until

CHAPTER = Path(__file__).parent.parent
SAFE = "Your photos are safe"


@dataclass
class Studio:
    """A bench with the album's web server. Workers come and go in the tests."""

    bench: Bench
    url: str
    web: Process

    @property
    def media(self) -> Path:
        return self.bench.folder / "data" / "media"

    def worker(self):
        return self.bench.worker("album", concurrency=2)

    def resend(self) -> Process:
        return self.bench.run([*MANAGE, "resend", "--older-than", "0"])

    def worker_state(self) -> str:
        code = "import django; django.setup(); from album import queue; print(queue.worker_state())"
        return self.bench.python(code).strip()

    def length(self) -> int:
        return self.bench.xray().lengths.get("celery", 0)


@pytest.fixture
def studio(monkeypatch):
    with Bench(CHAPTER) as bench:
        os.environ["ALBUM_DATA"] = str(bench.folder / "data")  # the bench restores it
        web, url = serve(bench)
        yield Studio(bench, url, web)


def test_a_worker_that_is_killed_loses_nothing(studio):
    photo = picture(size=(1600, 1200))
    first, visitor = studio.worker(), Visitor(studio.url)
    visitor.upload(*[photo] * 9, photo[: len(photo) // 2])
    visitor.upload(*[photo] * 9, photo[:-1000])
    wait_until(lambda: "ready" in states(studio.media).values(), "no photo is ready", log=first.log)
    first.kill()
    assert "waiting" in states(studio.media).values(), "the worker was killed too late"
    second = studio.worker()
    resent = studio.resend()
    assert resent.returncode == 0, resent.log()
    done = wait_until_done(studio.media, 20, second)
    assert (done.count("ready"), done.count("failed")) == (18, 2)
    page = visitor.get("/").text
    assert page.count("<img") == 18
    assert page.count("could not be shown: damaged") == 2
    [album] = studio.media.iterdir()
    assert len([path for path in (album / "ready").iterdir() if path.suffix == ""]) == 18


@pytest.mark.takes(20)
def test_a_broker_that_is_down_keeps_no_visitor_waiting(studio):
    visitor = Visitor(studio.url)
    photo = picture()
    assert visitor.upload(photo).status_code == 302
    studio.bench.broker.kill()
    for _ in range(2):  # with a connection that was fine before, and without
        answer = visitor.upload(photo, photo, timeout=18)
        assert answer.status_code == 302
        assert SAFE in visitor.get("/", timeout=18).text
    assert list(states(studio.media).values()) == ["waiting"] * 5
    assert studio.worker_state() == "no broker"
    failed = studio.resend()
    assert failed.returncode == 1
    assert "Traceback" not in failed.log()
    assert "The broker does not take messages. The photos are safe." in failed.log()

    studio.bench.broker.start()
    assert studio.worker_state() == "no worker"
    assert visitor.upload(photo, timeout=18).status_code == 302
    assert studio.length() == 1, "the next upload finds the new broker"
    worker = studio.worker()
    wait_until(lambda: studio.worker_state() == "ok", "the worker does not answer", timeout=120)
    assert studio.resend().returncode == 0
    assert wait_until_done(studio.media, 6, worker) == ["ready"] * 6


def test_a_broker_that_hangs_keeps_no_visitor_waiting(studio):
    """It takes connections, or has them, and says nothing: a machine that swaps, a lost cable."""
    visitor = Visitor(studio.url)
    photo = picture()
    visitor.upload(photo)
    with studio.bench.broker.asleep():
        assert visitor.upload(photo, timeout=18).status_code == 302
        assert SAFE in visitor.get("/", timeout=18).text
        assert studio.worker_state() == "no broker"
    assert visitor.upload(photo, timeout=18).status_code == 302
    worker = studio.worker()
    assert studio.resend().returncode == 0
    assert wait_until_done(studio.media, 3, worker) == ["ready"] * 3


def test_to_send_twice_does_no_harm(studio):
    """Five photos whose messages come four times, and two pool processes that take them."""
    visitor = Visitor(studio.url)
    visitor.upload(*[picture(size=(1600, 1200))] * 5)
    for _ in range(3):
        assert "5 of 5 photos were sent again." in studio.resend().log()
    assert studio.length() == 20
    worker = studio.worker()
    assert wait_until_done(studio.media, 5, worker) == ["ready"] * 5
    wait_until(lambda: not studio.length() and not studio.bench.xray().unacked, "work is left")
    assert list(states(studio.media).values()) == ["ready"] * 5, "the late ones break nothing"
    assert "0 of 0 photos were sent again." in studio.resend().log()
    assert "Traceback" not in worker.log(), worker.log()
    [album] = studio.media.iterdir()
    assert not list(album.glob("*/*.part")), "nothing unfinished stays behind"
    assert not list(album.glob("ready/*.making"))


# The photo comes while its page is made: the page has counted, and asks whether anybody works.
ONE_MOMENT = """
import os
import re
import sys

import django

django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from album import queue, shelf

browser = Client(SERVER_NAME="localhost")
with open(sys.argv[1], "rb") as file:
    browser.post("/upload", {"photos": [SimpleUploadedFile("a.jpg", file.read())]})
[photo] = shelf.photos(browser.session["album"])
os.utime(photo.path("inbox"), (0, 0))
ask = queue.worker_state


def arrive():
    photo.path("ready").mkdir()
    return ask()


queue.worker_state = arrive
for _ in range(2):
    page = browser.get("/photos").content.decode()
    print(re.findall(r'<li class="(\\w+)"', page), "hx-get" in page)
"""


def test_a_page_shows_one_moment(bench, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(picture())
    script = tmp_path / "one_moment.py"
    script.write_text(ONE_MOMENT)
    env = {"ALBUM_DATA": str(tmp_path / "data"), "PYTHONPATH": str(CHAPTER)}
    made = bench.run([sys.executable, script, tmp_path / "photo.jpg"], env=env)
    assert made.log().splitlines()[-2:] == ["['waiting'] True", "['ready'] False"], made.log()
