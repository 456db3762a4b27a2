"""# One long task and seven short ones. Which wait behind the long one?

## Question

Two workers, with one pool process each. A long task runs on one of them. Then come seven short
ones, and the other worker is free. Four times: with Celery's defaults
(`worker_prefetch_multiplier = 4`), with the multiplier 1, with 1 and `task_acks_late`, and with
`worker_disable_prefetch`. Which of the short ones wait until the long one has ended?

## Predict

- [ ] With the defaults a few. With 1 none: the worker is busy and takes nothing.
- [x] With the defaults a few. With 1 still one of them. With either of the last two none.
- [ ] None at all. The free worker takes what waits.

## Why

A worker takes messages before it has time for them: multiplier times pool processes. What it holds
waits in the memory of this worker, and no other worker can have it. The free one stands idle.

The multiplier counts messages that are not acknowledged. By default a message is acknowledged when
its task begins. So the long task does not count, and the worker takes one more: it goes on holding
a task that it cannot run. With `task_acks_late` the long task counts until its end, and 1 means
one. `worker_disable_prefetch` (Redis only, since 5.6) asks the other question: does a process have
time? Then the acknowledgement does not matter.

A multiplier of 0 does not switch it off. It means "no limit".

## Fix

`worker_disable_prefetch = True` where tasks differ in length, as in `printshop/settings.py`. The
price is a way to Redis for each task: for many tasks of a few milliseconds keep the multiplier.
"""

import json

from celery import Celery

from lab.bench import wait_until

SANDBOX = """
import json
import os
import time

from celery import Celery

app = Celery("sandbox", broker="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ["SETTINGS"]))

@app.task(ignore_result=True)
def long(gate):
    while not os.path.exists(gate):  # it ends when the experiment says so
        time.sleep(0.05)

@app.task(ignore_result=True)
def short(number):
    time.sleep(0.3)
"""

CONFIGURATIONS = {
    "defaults": {},
    "multiplier 1": {"worker_prefetch_multiplier": 1},
    "multiplier 1 + acks_late": {"worker_prefetch_multiplier": 1, "task_acks_late": True},
    "disable_prefetch": {"worker_disable_prefetch": True},
}


def run(bench):
    (bench.folder / "sandbox.py").write_text(SANDBOX)
    client, gate = Celery(set_as_current=False), bench.folder / "gate"

    def worker(queue, settings):
        env = {"SETTINGS": json.dumps(settings)}
        return bench.worker("sandbox", cwd=bench.folder, queues=queue, env=env, wait=False)

    pairs = {name: [worker(name, its) for _ in "ab"] for name, its in CONFIGURATIONS.items()}
    bench.all_ready()
    for name in pairs:
        client.send_task("sandbox.long", (str(gate),), queue=name, ignore_result=True)

    def begun(worker):
        """Whether a worker has the long task: its log says that it has received it."""
        return "sandbox.long[" in worker.log()

    for name, pair in pairs.items():
        wait_until(lambda pair=pair: any(map(begun, pair)), f"no long task: {name}", timeout=60)
        pair.sort(key=begun)
        for number in range(7):
            client.send_task("sandbox.short", (number,), queue=name, ignore_result=True)

    def held(busy):
        # These lines say "received": it runs none of them.
        return busy.log().count("sandbox.short[")

    def done(worker):
        return worker.log().count(" succeeded in ")

    rows = []
    for name, (free, busy) in pairs.items():
        wait_until(
            lambda free=free, busy=busy: done(free) + held(busy) == 7,
            f"the short tasks are nowhere: {name}",
            timeout=60,
            log=free.log,
        )
        row = {"configuration": name, "the free worker ran": done(free)}
        rows.append(row | {"wait behind the long one": held(busy)})
    gate.touch()
    for row, (_, busy) in zip(rows, pairs.values(), strict=True):
        every = 1 + row["wait behind the long one"]
        wait_until(lambda w=busy, n=every: done(w) == n, "the rest did not run", log=busy.log)
        row["ran after it"] = done(busy) - 1
    return rows


def claims(rows):
    waited = {row["configuration"]: row["wait behind the long one"] for row in rows}
    return {
        "with the defaults several wait behind the long one": waited["defaults"] > 1,
        "with the multiplier 1 one of them still waits": waited["multiplier 1"] == 1,
        "with acks_late as well none waits": waited["multiplier 1 + acks_late"] == 0,
        "with worker_disable_prefetch none waits": waited["disable_prefetch"] == 0,
        "meanwhile the other worker has nothing to do, and what waits runs in the end": all(
            row["the free worker ran"] + row["ran after it"] == 7 for row in rows
        ),
    }
