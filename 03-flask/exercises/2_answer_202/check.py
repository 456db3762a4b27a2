import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from lab.bench import TooLate, free_port, tail, wait_until


class Site:
    """A real web server with the learner's application."""

    def __init__(self, bench):
        self.port = free_port()
        argv = [sys.executable, "-m", "flask", "--app", "books", "run", "--port", self.port]
        self.process = bench.process("web", argv, ready="Press CTRL+C")

    def ask(self, method, path, **form):
        """Make a request. Returns status, Location and JSON (None if it is none)."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urlencode(form), kind)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        is_json = "json" in (answer.headers["Content-Type"] or "")
        return answer.status, answer.headers["Location"], json.loads(body) if is_json else None

    @property
    def error(self):
        """The last error in the log."""
        errors = re.findall(
            r"^\w[\w.]*(?:Error|Exception|NotRegistered)\b.*", self.process.log(), re.M
        )
        return errors[-1] if errors else tail(self.process.log())


def reader_of(pipe):
    """The other end of the pipe, when somebody is reading from it. Whoever reads, waits."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def check(bench):
    album = bench.folder / "album"
    album.mkdir()
    (album / "1-bay.jpg").write_bytes(b"bay")
    pipe = album / "2-harbour.jpg"
    os.mkfifo(pipe)  # a photo that takes as long to read as this check wants
    site = Site(bench)

    with ThreadPoolExecutor(1) as browser:
        asked = browser.submit(site.ask, "POST", "/books", album=str(album))
        try:
            end = wait_until(lambda: asked.done() or reader_of(pipe), "no answer", timeout=30)
        except TooLate:
            site.process.kill()
            raise AssertionError(
                "No worker runs, and POST /books does not answer. Does it wait for the result?"
            ) from None
        if end is not True:
            os.close(end)
            raise AssertionError(
                "The web server reads the photos itself, and whoever has ordered waits. Who else "
                "could bind the book?"
            )
    status, location, _ = asked.result()
    assert status != 500, f"POST /books answers 500. The web server says: {site.error}."
    assert status == 202, (
        f"POST /books answers at once, with the status {status}. The book is not there yet: say "
        "202."
    )
    assert location, (
        "POST /books answers 202, and does not say where to look. Add the header Location."
    )
    url = urlsplit(location).path
    waiting = bench.xray().lengths.get("celery", 0)
    assert waiting == 1, f"One message should wait for a worker, and {waiting} do."

    def state(path=url):
        """What the page says of an order."""
        status, _, body = site.ask("GET", path)
        assert status != 500 or "JSON serializable" not in site.error, (
            f"GET {path} answers 500: {site.error}. When a task has failed, its result is an "
            "exception, and JSON cannot hold one."
        )
        assert status != 500, f"GET {path} answers 500. The web server says: {site.error}."
        assert status == 200 and isinstance(body, dict), f"GET {path} answers {status}, {body}."
        return body

    said = state()
    assert said.get("state") == "waiting", f"No worker runs, and the page says {said}."
    status, _, body = site.ask("GET", "/books/8b4f1f0e-5b1c-4c55-9a4e-2f3a1f0c9d11")
    assert status == 404, (
        f"Nobody has ordered this book, and the page answers {status}, {body}. PENDING means "
        "unknown: Celery does not remember what you have sent. Who could?"
    )
    bench.worker("books")

    def has_ended(number):
        """Whether the worker has done so many tasks, well or not."""
        return sum(run.ended is not None for run in bench.timeline().runs) == number

    end = wait_until(lambda: reader_of(pipe) or has_ended(1), "the worker does not bind the book")
    errors = "; ".join(bench.timeline().errors.values()) or "no error"
    assert end is not True, f"A worker is ready, and does not bind the book. It says: {errors}."
    said = state()
    os.close(end)  # the photo is read
    assert said.get("state") == "running", (
        f"A worker is binding the book, and the page says {said}. Celery says STARTED."
    )

    def at_the_end(number, path):
        """What the page says when the work is over."""
        wait_until(lambda: has_ended(number), "the worker does not end")
        said = state(path)
        assert said.get("state") not in ("waiting", "running"), (
            f"The work is over, and the page says {said}, for ever."
        )
        return said

    said = at_the_end(1, url)
    assert said == {"state": "done", "book": {"pages": 2}}, (
        f'The book has two pages, and the page says {said}. It should have the "book".'
    )
    _, location, _ = site.ask("POST", "/books", album=str(bench.folder / "lost"))
    said = at_the_end(2, urlsplit(location).path)
    assert said.get("state") == "failed", f"The album is not there, and the page says {said}."
    assert "No such file" in str(said.get("reason")), (
        f'The album is not there, and the page says {said}. The "reason" should say why: the '
        "result of a failed task is its exception."
    )
