"""# How long does a round trip take?

## Question

`add.delay(1, 1).get()`: a message goes to Redis and to the worker, a result goes to Redis and
back. An article of 2016 that is still quoted measured 567 ms for it. What took so long?

## Predict

- [ ] Redis: each trip writes and reads a few times, over the network.
- [ ] The worker: it asks the broker for messages every half second.
- [x] The client: it slept half a second between two looks at the result.

## Why

In Celery 3.1, the version of 2016, `.get()` was a loop: look, sleep half a second, look again.
We wrote it again for the first row. The task has long ended when the client looks. With Redis
as result backend Celery has not slept since 4.0: the client subscribes to the result, and Redis
tells it when it is there. With results in files (or in a database) nobody can tell it, and
`.get()` is that old loop to this day. The message is no faster or slower than it was.

## Fix

Wait with `.get(timeout=...)`, not with a loop around `.ready()`. With a backend that is asked
again and again, ask more often: `.get(interval=0.05)`. And ask of every figure with which
version it was measured: many of the web's judgements on Celery are ten years old.
"""

import statistics

LOOP = """
def wait(result):
    while not result.ready():
        time.sleep(0.5)
"""

GET = """
def wait(result):
    result.get(timeout=20)
"""

MEASURE = """
import time
from tasks import add
{}
for attempt in range(5):
    start = time.monotonic()
    result = add.delay(1, 1)
    wait(result)
    print(result.id, time.monotonic() - start)
"""


DONE, KNOWN = "task done after (ms)", "result known after (ms)"


def run(bench):
    in_files = {"CELERY_RESULT_BACKEND": f"file://{bench.folder}/tmp"}
    rows = []
    for how, wait, env in (
        ("a loop that sleeps 0.5 s", LOOP, {}),
        (".get(), results in Redis", GET, {}),
        (".get(), results in files", GET, in_files),
    ):
        worker = bench.worker("tasks", env=env)
        # The first trip makes the connections. It does not count.
        _, *said = bench.python(MEASURE.format(wait), env=env).splitlines()
        worker.kill()
        known = {id: float(seconds) for id, seconds in map(str.split, said)}
        timeline = bench.timeline()
        done = [run.ended - timeline.sent[run.id][0] for run in timeline.runs if run.id in known]
        rows.append({"how": how, DONE: median(done), KNOWN: median(known.values())})
    return rows


def median(times):
    return round(statistics.median(times) * 1000, 1)


def claims(rows):
    loop, redis, files = rows
    return {
        "today's .get() is at least five times as fast as the loop": redis[KNOWN] * 5
        <= loop[KNOWN],
        "the task was done long before the loop looked again": loop[DONE] * 5 <= loop[KNOWN],
        "with results in files .get() is slow to this day": redis[KNOWN] * 5 <= files[KNOWN],
    }
