"""# How many tasks per second does rate_limit="4/s" let through with two workers?

## Question

A service allows you four requests per second. So its task says `rate_limit="4/s"`. You start two
workers, each with two pool processes. How many requests per second does the service get?

## Predict

- [ ] Four: the limit belongs to the task, whoever runs it.
- [x] Eight: each worker counts for itself.
- [ ] Sixteen: each of the four pool processes counts for itself.

## Why

The limit is a bucket of tokens in the memory of each worker's main process. A worker's pool
processes share it. Two workers know nothing of each other's buckets. And on the day when you
start a third to get the work done faster, the service gets twelve.

## Fix

Give the task a queue of its own and exactly one worker that reads it: many processes or threads,
one limit. Or divide the limit by the number of workers, and remember it when you add one. Where
both are too little, count in a place that all workers share: a counter in Redis. `celery -A
tasks control rate_limit TASK 2/s` changes the limit of running workers.
"""

import time

LIMIT = 4

REQUEST = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task(rate_limit="4/s")
def request(number):
    return number
""",
    )
}


def run(bench):
    bench.use(bench.copy(REQUEST))
    from celery import group

    from tasks import request

    rows = []
    for workers, tasks in ((1, 10), (2, 60)):
        bench.worker("tasks", concurrency=2)
        before, began = len(bench.timeline().runs), time.monotonic()
        group(request.s(number) for number in range(tasks))().get(timeout=60)
        timeline = bench.timeline()
        runs = timeline.runs[before:]
        sent = began - timeline.origin
        hosts = sorted({run.worker for run in runs})
        rows.append({"workers": workers, "tasks": tasks, "per second": speed(runs, sent)})
        for n, host in enumerate(hosts, 1):
            rows[-1][f"worker {n}"] = speed([run for run in runs if run.worker == host], sent)
        rows[-1]["in the best second"] = max(
            sum(0 <= run.started - first.started < 1 for run in runs) for first in runs
        )
    return rows


def speed(runs, sent):
    """Starts per second, from the moment when the first could have started to the last start.

    A worker that stands still for a moment makes it smaller, and never larger.
    """
    return round((len(runs) - 1) / (max(run.started for run in runs) - sent), 1)


def claims(rows):
    one, two = rows
    return {
        "one worker with two pool processes keeps to the limit": one["per second"] <= LIMIT,
        "so does each of the two workers": max(two["worker 1"], two["worker 2"]) <= LIMIT,
        "together they let through much more in a second": two["in the best second"] > 1.25 * LIMIT,
    }
