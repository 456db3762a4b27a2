"""# Your tests run with task_always_eager, and they are green. What have they tested?

## Question

With `task_always_eager` and `task_eager_propagates`, `.delay()` calls the function at once, in your
own process: no broker, no worker. Nine small things, in this mode and with a real worker: an
exception, a countdown, a time limit, a retry, a tuple and an object as arguments, a set as result,
the state of the result, and no broker. How many of the nine come out the same?

## Predict

- [ ] Seven. Only what takes time is different: the countdown and the time limit.
- [ ] None. Eager mode serializes nothing, stores nothing and sends nothing.
- [x] Two: the arguments. Celery serializes them in both modes.

## Why

Eager mode is a function call that looks like a task. There is no worker, so nobody does what a
worker does: it waits for the countdown, it stops what is too slow, it stores the result as JSON.
The exception reaches the caller. With a worker, the caller has gone on long ago.

`task_eager_propagates` changes retries as well: the caller gets the exception `Retry`, and the
task is not tried again. (Without this setting the second try comes at once, with no countdown.)

So tests are green that should be red: a set that no worker can return, a limit that nobody keeps, a
broker that nobody asks. One thing is better than its reputation: arguments go through JSON.

## Fix

Test the function by calling it, the task with `.apply()`, and once with a real worker: as the
tests of this course do. `task_always_eager` is for neither of the three.
"""

import json

from lab.bench import free_port

STUDIO = """
import os
import time

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("studio", broker=REDIS, backend=REDIS)
app.conf.task_always_eager = app.conf.task_eager_propagates = "EAGER" in os.environ

@app.task(bind=True)
def work(self, what):
    if what == "raise":
        raise ValueError("no such photo")
    if what == "retry" and not self.request.retries:
        raise self.retry(countdown=1)
    if what == "slow":
        time.sleep(2 if app.conf.task_always_eager else 60)  # the limit is 1 second
    return {"red"} if what == "set" else f"a {type(what).__name__}, to the end"
"""

CLIENT = """
import json
import os
from studio import app, work

def get(what, **options):
    return str(work.apply_async((what,), **options).get(timeout=60))

def send(what, **options):
    result = work.apply_async((what,), **options)
    return "has run" if "countdown" in options and result.ready() else "is sent"

def state(what):
    result = work.delay(what)
    result.get(timeout=60)
    return app.AsyncResult(result.id).state

CASES = {
    "the task raises": lambda: send("raise"),
    "countdown=60": lambda: send("photo", countdown=60),
    "soft_time_limit=1": lambda: get("slow", soft_time_limit=1),
    "retry(countdown=1)": lambda: get("retry"),
    "the argument (1, 2)": lambda: get((1, 2)),
    "the argument object()": lambda: get(object()),
    "it returns a set": lambda: get("set"),
    "AsyncResult(id).state": lambda: state("photo"),
}
NO_BROKER = {"no broker": lambda: send("photo", ignore_result=True)}

for name, case in (NO_BROKER if "NO_BROKER" in os.environ else CASES).items():
    try:
        found = case()
    except Exception as error:
        found = type(error).__name__
    print("row", json.dumps([name, found]))
"""


def run(bench):
    (bench.folder / "studio.py").write_text(STUDIO)
    bench.worker("studio", cwd=bench.folder, concurrency=2)
    nobody = {"NO_BROKER": "1", "CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0"}
    clients = [
        (mode, bench.start_python(CLIENT, cwd=bench.folder, env={**eager, **broker}))
        for mode, eager in (("eager", {"EAGER": "1"}), ("a real worker", {}))
        for broker in ({}, nobody)
    ]
    rows = {}
    for mode, client in clients:
        client.wait(timeout=60)
        for line in client.log().splitlines():
            if line.startswith("row "):
                what, found = json.loads(line.removeprefix("row "))
                rows.setdefault(what, {"what": what})[mode] = found
    for row in rows.values():
        row["the same"] = row["eager"] == row["a real worker"]
    return list(rows.values())


def claims(rows):
    found = {row["what"]: (row["eager"], row["a real worker"]) for row in rows}
    same = [row["what"] for row in rows if row["the same"]]
    return {
        "of nine only the arguments are the same": len(rows) == 9
        and same == ["the argument (1, 2)", "the argument object()"],
        "the tuple is a list in both": found[same[0]][0] == "a list, to the end",
        "eager: the caller gets the task's exception": found["the task raises"]
        == ("ValueError", "is sent"),
        "eager: no countdown, and no time limit": found["countdown=60"] == ("has run", "is sent")
        and found["soft_time_limit=1"] == ("a str, to the end", "SoftTimeLimitExceeded"),
        "eager: the task is not tried again": found["retry(countdown=1)"]
        == ("Retry", "a str, to the end"),
        "eager: a set can be returned": found["it returns a set"] == ("{'red'}", "EncodeError"),
        "eager: the result is not stored": found["AsyncResult(id).state"] == ("PENDING", "SUCCESS"),
        "eager: nobody asks for a broker": found["no broker"] == ("is sent", "OperationalError"),
    }
