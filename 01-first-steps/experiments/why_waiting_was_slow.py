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
We wrote it again for the first row. The task has long ended when the client looks again. With
Redis as result backend Celery has not slept since 4.0: the client subscribes to the result, and
Redis tells it when it is there. With results in files (or in a database) nobody can tell it, and
`.get()` is that old loop to this day. The message is no faster or slower than it was.

Each row is the best of five trips: what else the machine does can only make a trip longer. Where
the client looks again and again, we hold the task back until it has looked once. A quick worker
could be done before the first look, and then the client would not sleep at all.

## Fix

Wait with `.get(timeout=...)`, not with a loop around `.ready()`. With a backend that is asked
again and again, ask more often: `.get(interval=0.05)`. And ask of every figure with which
version it was measured: many of the web's judgements on Celery are ten years old.
"""

import json

HELD = {
    "tasks.py": (
        "@app.task\ndef add(x, y):\n    return x + y\n",
        """import os
import time

from redis import Redis

redis = Redis.from_url(os.environ["REDIS_URL"])


@app.task(bind=True)
def add(self, x, y):
    redis.blpop(self.request.id, timeout=60)  # wait until the client has looked
    return time.monotonic()
""",
    )
}

LOOP = """
def wait(result):
    while not result.ready():
        looked(result)
        time.sleep(0.5)
"""

# Here Redis tells the client. The task need not wait for a first look, and is let go at once.
GET = """
def wait(result):
    looked(result)
    result.get(timeout=60)
"""

# Celery calls `on_interval` after the first look, when the result is not there.
GET_FROM_FILES = """
def wait(result):
    result.get(timeout=60, on_interval=lambda: looked(result))
"""

MEASURE = """
import json
import time
from tasks import add, redis

def looked(result):
    redis.rpush(result.id, "the client has looked")
{}
trips = []
for _ in range(6):
    start = time.monotonic()
    result = add.delay(1, 1)
    wait(result)
    known = time.monotonic()
    trips.append((result.get() - start, known - start))
print(json.dumps(trips))
"""

DONE, KNOWN = "task done after (ms)", "result known after (ms)"


def run(bench):
    bench.use(bench.copy(HELD))
    in_files = {"CELERY_RESULT_BACKEND": f"file://{bench.folder}/tmp"}
    rows = []
    for how, wait, env in (
        ("a loop that sleeps 0.5 s", LOOP, {}),
        (".get(), results in Redis", GET, {}),
        (".get(), results in files", GET_FROM_FILES, in_files),
    ):
        worker = bench.worker("tasks", env=env)
        # The first trip makes the connections. It does not count.
        _, *trips = json.loads(bench.python(MEASURE.format(wait), env=env))
        worker.kill()
        done, known = (round(min(times) * 1000, 1) for times in zip(*trips, strict=True))
        rows.append({"how": how, DONE: done, KNOWN: known})
    return rows


def claims(rows):
    loop, redis, files = rows
    return {
        "today's .get() is at least five times as fast as the loop": redis[KNOWN] * 5
        <= loop[KNOWN],
        "the task was done long before the loop looked again": loop[DONE] * 5 <= loop[KNOWN],
        "with results in files .get() is slow to this day": redis[KNOWN] * 5 <= files[KNOWN],
    }
