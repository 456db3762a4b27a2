"""# A task is longer than the visibility timeout. What happens while it runs?

## Question

A statement takes five minutes to make, the visibility timeout is four seconds. The worker has three
processes, all are well, and nobody kills anything. You send one message: with Celery's defaults,
with `acks_late`, with `acks_late` and a hard time limit of one second (the timeout is 30 there),
and with `acks_late` and a visibility timeout of ten minutes. How many statements are made at the
same time?

## Predict

- [ ] One in each case. The worker is alive, so nobody gives its message to another.
- [x] One, one, one, and with `acks_late` alone it is three.
- [ ] One with the defaults. With `acks_late` it is one as well, and a second one after it.

## Why

Nobody asks whether the worker is alive. A message that has been in `unacked` for longer than the
visibility timeout counts as lost. With `acks_late` it is there for as long as the task runs. So it
is given out again, to the same worker, and again, until each process makes the same statement.
With the defaults the message is acknowledged when the task begins, and is not in `unacked`.

The default is an hour. A video, a backup, an import takes so long one day, in production. Then
`acks_late`, which somebody has set to make it safe, makes it run twice.

## Fix

Keep the visibility timeout above the longest task, and have Celery keep the task below: a hard
time limit, as in `printshop/settings.py`, 60 seconds against 300. Cut long work into short tasks.
And make each task such that it can run twice: a key at the provider, a file that is written once.
"""

import json

from celery import Celery
from kombu import Connection

from lab.bench import wait_until

STATEMENT = """
import json
import os
import time
from celery import Celery

app = Celery("statement", broker="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ["SETTINGS"]))

@app.task(name="make_statement", ignore_result=True)
def make_statement():
    time.sleep(300)
"""


def settings(seconds=4, **others):
    look = {"unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    return {"broker_transport_options": {"visibility_timeout": seconds, **look}, **others}


CASES = {
    "the defaults": settings(),
    "acks_late": settings(task_acks_late=True),
    "acks_late, a time limit of 1 s": settings(30, task_acks_late=True, task_time_limit=1),
    "acks_late, a timeout of 10 min": settings(600, task_acks_late=True),
}


def run(bench):
    folder, client = bench.copy({}), Celery(set_as_current=False)
    (folder / "statement.py").write_text(STATEMENT)
    # A worker gives out again whatever lies in its database. So each case gets one of its own.
    urls = [f"{bench.broker.url[:-1]}{number}" for number in range(len(CASES))]
    workers = []
    for url, case in zip(urls, CASES.values(), strict=True):
        env = {"CELERY_BROKER_URL": url, "SETTINGS": json.dumps(case)}
        workers.append(bench.worker("statement", concurrency=3, cwd=folder, env=env, wait=False))
    bench.all_ready()
    for url in urls:
        with Connection(url) as connection:
            client.send_task("make_statement", connection=connection)

    def look():
        runs = bench.timeline().runs
        return [row(runs, number, case) for number, case in enumerate(CASES, 1)]

    def row(runs, number, case):
        own = [run for run in runs if run.worker == f"worker{number}@bench"]
        now = sum(run.state == "running" for run in own)
        return {"how": case, "begun": len(own), "at the same time": now}

    def shown():
        first, late, limited, long = look()
        ended = limited["begun"] and not limited["at the same time"]
        return late["at the same time"] == 3 and first["begun"] and ended and long["begun"]

    wait_until(shown, "no three", timeout=120)
    healthy = {True: "well", False: "dead"}
    return [
        row | {"the worker": healthy[worker.running]}
        for row, worker in zip(look(), workers, strict=True)
    ]


def claims(rows):
    defaults, late, limited, long = rows
    return {
        "every worker is well": {row["the worker"] for row in rows} == {"well"},
        "with acks_late three are made at the same time": late["at the same time"] == 3,
        "with the defaults one": defaults["begun"] == defaults["at the same time"] == 1,
        "with a time limit below the timeout one, and it is ended": limited["begun"] == 1
        and limited["at the same time"] == 0,
        "with a timeout above the task one": long["begun"] == long["at the same time"] == 1,
    }
