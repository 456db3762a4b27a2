"""# An urgent task arrives behind bulk work. How long does it wait?

## Question

Twenty statements have to be written, and one worker process has begun with the first. Then an
urgent task arrives. Four shops: all tasks in one queue; one queue, and the urgent task has the
highest priority; the same with `worker_disable_prefetch`; a queue and a worker of its own for what
is urgent. How many of the twenty are begun before the urgent task is?

## Predict

- [ ] All twenty in one queue, and one in each of the others: the first has begun already.
- [ ] All twenty in the first three: a queue is a queue. One in the last.
- [x] All twenty, then five, then one, and one.

## Why

A queue gives out its messages in the order of their arrival. One worker more on the same queue
makes all of it faster, and lets nobody overtake.

A priority is looked at in Redis, when a worker asks for the next message. What a worker has
reserved is out of its reach: beside the statement that runs, the worker holds four more. With
`worker_disable_prefetch` it holds none, and the urgent task is the next one.

But the next one has to wait until a process is free. The last row shows the difference: only there
the urgent task has ended while the first statement was still being written. Think of a
statement that takes an hour.

## Fix

What somebody waits for gets a queue, and a worker that reads no other queue:
`celery -A printshop worker --queues urgent`. Name the queue in `task_routes`, once, and keep a
worker on every queue that you name. Priorities are for the order among equals.
"""

import json

from celery import Celery

from lab.bench import wait_until

OFFICE = """
import json
import os
import time

from celery import Celery

app = Celery("office", broker="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ["SETTINGS"]))

@app.task(ignore_result=True)
def statement(gate):
    while not os.path.exists(gate):  # the first one takes until the experiment says so
        time.sleep(0.05)

@app.task(ignore_result=True)
def urgent(gate):
    pass
"""

LOW, HIGH = {"priority": 9}, {"priority": 0}  # on Redis 0 is the highest
LAYOUTS = {
    # for each layout: the worker's settings, and the options of a statement and of what is urgent
    "one queue": ({}, {}, {}),
    "priorities": ({}, LOW, HIGH),
    "priorities, disable_prefetch": ({"worker_disable_prefetch": True}, LOW, HIGH),
    "a queue and a worker of its own": ({}, {}, {"queue": "urgent"}),
}


def run(bench):
    (bench.folder / "office.py").write_text(OFFICE)
    client, gate = Celery(set_as_current=False), bench.folder / "gate"

    def worker(queue, settings):
        env = {"SETTINGS": json.dumps(settings)}
        return bench.worker("office", cwd=bench.folder, queues=queue, env=env, wait=False)

    def send(task, options):
        return client.send_task(f"office.{task}", (str(gate),), ignore_result=True, **options).id

    workers = {f"queue{n}": worker(f"queue{n}", its[0]) for n, its in enumerate(LAYOUTS.values())}
    workers["urgent"] = worker("urgent", {})
    bench.all_ready()

    def begun():
        return {run.id for run in bench.timeline().runs}

    def ended():
        """A pool process logs that a task has succeeded, and writes down its end after that."""
        return {run.id for run in bench.timeline().runs if run.ended is not None}

    bulk, urgent = {}, {}
    for queue, (_, low, _) in zip(workers, LAYOUTS.values(), strict=False):
        bulk[queue] = [send("statement", {"queue": queue, **low}) for _ in range(20)]
    for queue, (settings, _, high) in zip(workers, LAYOUTS.values(), strict=False):
        log, taken = workers[queue].log, 1 if settings else 5  # one runs, and four are reserved
        wait_until(lambda log=log, n=taken: log().count(" received") == n, "it takes none", log=log)
        # A worker receives a task a moment before a pool process begins with it.
        wait_until(lambda id=bulk[queue][0]: id in begun(), "the first does not begin", log=log)
        urgent[queue] = send("urgent", {"queue": queue, **high})
    log = workers["urgent"].log
    wait_until(lambda: urgent["queue3"] in ended(), "the urgent one does not end", log=log)
    gate.touch()  # now the first statements end
    for queue, ids in bulk.items():
        sent = {urgent[queue], *ids}
        wait_until(lambda ids=sent: ids <= ended(), "no end", log=workers[queue].log)

    runs, rows = {run.id: run for run in bench.timeline().runs}, []
    for name, queue in zip(LAYOUTS, bulk, strict=True):
        it, statements = runs[urgent[queue]], [runs[id] for id in bulk[queue]]
        before = sum(each.started < it.started for each in statements)
        over = sum(each.ended < it.ended for each in statements)
        rows.append({"layout": name, "statements begun before": before, "and ended": over})
    return rows


def claims(rows):
    found = [(row["statements begun before"], row["and ended"]) for row in rows]
    return {
        "in one queue it waits for all of the bulk": found[0] == (20, 20),
        "with a priority it waits for the one that runs and for four reserved": found[1] == (5, 5),
        "with disable_prefetch for the one that runs": found[2] == (1, 1),
        "with a worker of its own for none": found[3] == (1, 0),
    }
