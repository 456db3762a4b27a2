"""# Redis is down. How long does the visitor wait?

## Question

Somebody presses a button, and the view calls `.delay()`. Redis is the broker and the result
backend, and it is down. The site runs as usual, with two web processes. Two visitors press the
button, a third asks for another page. How long do they wait? And what does `retry=False` change?

## Predict

- [ ] No time at all: where nobody listens, the connection is refused at once.
- [x] 19 seconds, all three, with `retry=False` as well.
- [ ] 19 seconds, all three. With `retry=False` no time at all.

## Why

With a result backend, `.delay()` subscribes to the result before it sends anything. That is tried
20 times, a second apart. `retry=False` is about the sending, which is not reached. Meanwhile both
web processes are taken. In the end it is a `RuntimeError`: `except OperationalError` does not
catch it. It says that the application must be restarted. That is not so: see the last column.

With `ignore_result=True` the sending is all there is. It is tried four times in 0.6 s. Here
`retry=False` makes it *slower*: it takes another way to the broker, which waits 2 s, then 4 s.
Only the transport option `max_retries: 0` ends that.

## Fix

`ignore_result=True` for what a request sends, `retry=False`, and
`broker_transport_options = {"max_retries": 0}`, as the mailroom does. Catch `OperationalError`
and answer 503. Where a request needs the result, take the patience from the backend as well:
`result_backend_transport_options = {"retry_policy": {"max_retries": 0}}`.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from lab.bench import free_port, wait_until

SITE = """
import celery.backends.redis
import celery.app.amqp
import kombu.transport.redis
from celery import Celery
from flask import Flask
from kombu.exceptions import OperationalError

site = Flask("site")
app = Celery(broker="redis://localhost:6379/0", backend="redis://localhost:6379/0", **SETTINGS)
app.finalize(), app.amqp, app.backend, app.connection().transport

def say(what):
    # In one write: the other web process writes into the same log.
    print(what + "\\n", end="", flush=True)

@site.get("/")
def other_page():
    say("page")
    return "Hello"

@site.post("/send")
def send():
    say("sending")
    try:
        app.send_task("mail", **OPTIONS)
    except (OperationalError, RuntimeError) as error:
        return type(error).__name__, 503
    finally:
        say("tried")
    return "sent", 202
"""

QUICK = {"broker_transport_options": {"max_retries": 0}}
BOTH = QUICK | {"result_backend_transport_options": {"retry_policy": {"max_retries": 0}}}
IGNORE = {"ignore_result": True}
WAYS = {
    ".delay()": ({}, {}),
    "retry=False": ({}, {"retry": False}),
    "ignore_result=True": ({}, IGNORE),
    "ignore_result=True, retry=False": ({}, IGNORE | {"retry": False}),
    "the same, max_retries: 0": (QUICK, IGNORE | {"retry": False}),
    "with a result, max_retries: 0 twice": (BOTH, {"retry": False}),
}


def run(bench):
    sites = [serve(bench, f"site{n}", *way) for n, way in enumerate(WAYS.values())]
    for site, _ in sites:
        site.wait_for("Listening")
    bench.broker.kill()
    with ThreadPoolExecutor() as crowd:
        rows = [{"how": how} | row for how, row in zip(WAYS, crowd.map(visit, sites), strict=True)]
    bench.broker.start()
    for row, (_, url) in zip(rows, sites, strict=True):
        row["Redis is back"] = timed("POST", f"{url}/send")[0]
    return rows


def serve(bench, name, settings, options):
    code = SITE.replace("SETTINGS", str(settings)).replace("OPTIONS", str(options))
    (bench.folder / f"{name}.py").write_text(code)
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", f"{name}:site", "--bind", address, "--preload"]
    argv += ["--workers", "2", "--timeout", "100", "--no-control-socket"]
    return bench.process(name, argv, cwd=bench.folder), f"http://{address}"


def visit(served):
    site, url = served
    with ThreadPoolExecutor() as visitors:
        two = [visitors.submit(timed, "POST", f"{url}/send") for _ in range(2)]
        wait_until(lambda: site.log().count("sending") == 2, "nobody sent", log=site.log)
        page = visitors.submit(timed, "GET", url).result()[1]
    says, seconds = max(each.result() for each in two)
    lines = site.log().splitlines()
    turn = "after a button" if lines.index("tried") < lines.index("page") else "before"
    return {"the button, s": seconds, "another page, s": page, "its turn": turn, "says": says}


def timed(method, url):
    began = time.monotonic()
    answer = httpx.request(method, url, timeout=100).text
    return answer, round(time.monotonic() - began, 1)


def claims(rows):
    # What a busy machine adds, it adds to all of them: they are asked side by side.
    quickest = min(row["the button, s"] for row in rows)
    waits = [row["the button, s"] - quickest for row in rows]
    delay, retry, ignored, slower, best, both = waits
    return {
        ".delay() waits more than 3 times as long as without a result": delay > 3 * ignored,
        "so it does with retry=False": retry > 3 * ignored,
        "another page waits for a button": {row["its turn"] for row in rows} == {"after a button"},
        "without a result, retry=False makes it slower": slower > ignored,
        "max_retries: 0 cures that": slower > best,
        "with a result, it is needed in both places": delay > 3 * both,
        "the long wait ends in a RuntimeError": {row["says"] for row in rows[:2]}
        == {"RuntimeError"},
        "no restart is needed": {row["Redis is back"] for row in rows} == {"sent"},
    }
