"""# Does Celery make the upload faster?

## Question

Six visitors send two photos each. To shrink one takes half a second of computing. Two web
processes first do that in the request; then they send a task, and a worker with two pool
processes does it. Meanwhile somebody opens another page, again and again. What becomes faster?

## Predict

- [ ] Everything: the answers, the other pages and the thumbnails.
- [x] The answers and the other pages. The thumbnails come no sooner.
- [ ] Nothing: the same machine does the same work.

## Why

A web process that shrinks photos answers nobody else: with as many uploads as there are web
processes, every other page waits behind them. With a task, the request keeps the file, sends a
message and is done. The work has not become less. It waits as messages now (the column
"backlog"), and they become more for as long as visitors send faster than the worker shrinks.

## Fix

Nothing is broken. Say on the page that the photos will come, as the album does. When the queue
does not become short again, add pool processes, on another machine if this one has no free core.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import httpx
from PIL import Image

from lab.bench import free_port, wait_until
from lab.course.experiments import needs_idle_cores

IN_THE_REQUEST = (
    "            make.apply_async(photo.job, retry=False)\n",
    """            from thumbnails.tasks import shrink, show

            source, target, _ = photo.job
            for size in ("small", "large"):
                shrink(source, target, f"{target}.making", size)
            show(source, target, f"{target}.making")
""",
)


def computing(seconds):
    """A camera of many pixels: to shrink a photo to one size computes for so long."""
    slow = f"""    import time

    end = time.process_time() + {seconds}
    while time.process_time() < end:
        upright.resize((edge, edge))
"""
    last = "    upright.thumbnail((edge, edge))\n"
    return (last, slow + last)


@dataclass(frozen=True)
class Load:
    """What was measured, in seconds: each request, the slowest of the others, and the whole."""

    times: list[float]
    slowest_other: float
    whole: float

    @property
    def per_second(self) -> float:
        return len(self.times) / self.whole

    def percentile(self, number: int) -> float:
        """The time that so many percent of the requests did not exceed."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[number - 1]


def under_load(
    request: Callable[[int], object], requests: int, clients: int, other: Callable[[], object]
) -> Load:
    """Make so many requests with so many clients at once. `request` gets its number.

    `other` is done again and again meanwhile: another page, which should not suffer.
    """

    def timed(action: Callable[[], object]) -> float:
        began = time.monotonic()
        action()
        return time.monotonic() - began

    began = time.monotonic()
    with ThreadPoolExecutor(clients) as crowd:
        waiting = [crowd.submit(timed, partial(request, number)) for number in range(requests)]
        others = [timed(other)]
        while not all(each.done() for each in waiting):
            others.append(timed(other))
    whole = time.monotonic() - began
    return Load(sorted(each.result() for each in waiting), max(others), whole)


def measure(bench, requests, clients, seconds_of_work, with_celery, finish=True):
    """Upload `requests` photos from so many clients at once. `finish`: wait for the thumbnails."""
    edit = {"thumbnails/pictures.py": computing(seconds_of_work / 2)}
    folder = bench.copy(edit if with_celery else edit | {"album/queue.py": IN_THE_REQUEST})
    data = bench.folder / f"data-{len(bench.diffs)}"
    env = {"ALBUM_DATA": str(data), "DJANGO_SETTINGS_MODULE": "album.settings"}
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", "album.wsgi", "--bind", address, "--workers", "2"]
    web = bench.process("web", [*argv, "--timeout", "300"], cwd=folder, env=env)
    processes = [web]
    if with_celery:
        processes.append(bench.worker("album", concurrency=2, cwd=folder, env=env))

    def answers():
        try:
            return httpx.get(f"http://{address}/feedback", timeout=300).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, "the web server did not answer", timeout=60, log=web.log)
    photo = BytesIO()
    Image.new("RGB", (120, 90), "teal").save(photo, "JPEG")
    browsers = [httpx.Client(base_url=f"http://{address}", timeout=300) for _ in range(clients)]
    for browser in browsers:
        browser.headers["X-CSRFToken"] = browser.get("/").cookies["csrftoken"]

    def upload(number):
        files = {"photos": ("photo.jpg", photo.getvalue())}
        assert browsers[number % clients].post("/upload", files=files).status_code == 302

    began = time.monotonic()
    load = under_load(upload, requests, clients, other=answers)
    seen = bench.xray()
    if finish:
        ready = "media/*/ready/*/large.jpg"
        wait_until(lambda: len([*data.glob(ready)]) == requests, "some are missing", timeout=100)
    all_ready = time.monotonic() - began
    for process in processes:
        process.kill()
    bench.broker.client.flushdb()
    return {
        "the work": "in a task" if with_celery else "in the request",
        "uploads per s": round(load.per_second, 1),
        "median": round(load.percentile(50), 2),
        "p95": round(load.percentile(95), 2),
        "p99": round(load.percentile(99), 2),
        "other page": round(load.slowest_other, 2),
        "backlog": sum(seen.lengths.values()) + len(seen.unacked),
        "all ready": round(all_ready, 1) if finish else None,
    }


def run(bench):
    return [measure(bench, 12, 6, 0.5, with_celery) for with_celery in (False, True)]


def claims(rows):
    request, task = rows
    return {
        needs_idle_cores("the answers come sooner with a task"): task["p95"] < request["median"],
        "with the work in the request, another page waits for it": request["other page"] > 0.5,
        needs_idle_cores("with a task it waits less than half as long"): task["other page"]
        < request["other page"] / 2,
        "when all are answered, only the task's work is still to be done": task["backlog"] > 0
        and request["backlog"] == 0,
        needs_idle_cores("the thumbnails come no sooner"): task["all ready"]
        > 0.8 * request["all ready"],
    }
