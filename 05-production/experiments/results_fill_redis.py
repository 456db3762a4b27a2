"""# Fifty tasks have run. How many results does Redis keep, and how long?

## Question

Fifty tasks run, and every tenth fails. Somebody reads the results with `.get()`. Five
workers do the same work with other settings: the defaults, `task_ignore_result`, that and
`task_store_errors_even_if_ignored`, `result_expires` of an hour, and that and a
`result_failure_expires` of a week. What is in Redis afterwards?

## Predict

- [ ] With the defaults none: they have been read. With `task_ignore_result` none at all.
- [x] With the defaults all 50, for a day. With `task_ignore_result` none, not even the failures.
- [ ] With the defaults all 50, for ever. With `task_ignore_result` the five failures.

## Why

A result is a key of its own in Redis, and it has an expiry: a day. To read it changes nothing.
So Redis holds a day's work, always: at ten tasks a second that is 864,000 keys. A failure is
the larger one: it carries its traceback.

With `task_ignore_result` nothing is written, whether the task succeeds or fails. The log has the
failure, and so has `task_failure`: see `printshop/dead_letters.py`.

`result_expires` is for all results, and `result_failure_expires` (Redis, since 5.7) for those that
failed: the ones that somebody looks at on Monday.

## Fix

`task_ignore_result = True` in the settings, and `@app.task(ignore_result=False)` where a result is
read. What has been read for the last time can go: `result.forget()`. What must be known tomorrow
does not belong into a result, but where the orders are.
"""

import json

from celery import Celery

from lab.bench import WORKER_READY, wait_until

ARCHIVE = """
import json
import os

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("archive", broker=REDIS, backend=REDIS)
app.conf.update(json.loads(os.environ["SETTINGS"]))

@app.task
def look_up(number):
    if number % 10 == 0:
        raise LookupError(number)
    return number
"""

HOUR, DAY, WEEK = 3600, 86400, 604800
IGNORE, SHORT = {"task_ignore_result": True}, {"result_expires": HOUR}
SETTINGS = {
    "defaults": {},
    "ignore_result": IGNORE,
    "ignore_result, store_errors": IGNORE | {"task_store_errors_even_if_ignored": True},
    "result_expires": SHORT,
    "result_expires, failure_expires": SHORT | {"result_failure_expires": WEEK},
}


def run(bench):
    (bench.folder / "archive.py").write_text(ARCHIVE)
    client, redis, rows = Celery(set_as_current=False), bench.broker.client, []
    workers = [
        bench.worker(
            "archive",
            cwd=bench.folder,
            queues=f"queue{n}",
            env={"SETTINGS": json.dumps(its)},
            wait=False,
        )
        for n, its in enumerate(SETTINGS.values())
    ]
    for number, (name, worker) in enumerate(zip(SETTINGS, workers, strict=True)):
        worker.wait_for(WORKER_READY, timeout=60)
        queue = f"queue{number}"
        sent = [client.send_task("archive.look_up", (n,), queue=queue) for n in range(50)]
        ends = " succeeded in ", " raised unexpected: "
        wait_until(
            lambda log=worker.log, ends=ends: sum(log().count(end) for end in ends) == 50,
            f"not all have run: {name}",
            timeout=60,
            log=worker.log,
        )
        keys = {n: f"celery-task-meta-{result.id}" for n, result in enumerate(sent)}
        kept = {n: key for n, key in keys.items() if redis.exists(key)}
        for n in kept:
            sent[n].get(propagate=False, timeout=60)
        for end, fails in (("success", False), ("failure", True)):
            those = [key for n, key in kept.items() if (n % 10 == 0) == fails]
            row = {"settings": name, "end": end, "results": len(those)}
            left = [key for key in those if redis.exists(key)]
            row |= {"after reading": len(left)}
            row |= {"seconds left": max(map(redis.ttl, left), default="")}
            rows.append(row | {"bytes": max(map(redis.memory_usage, left), default="")})
    return rows


def claims(rows):
    results = {(row["settings"], row["end"]): row["results"] for row in rows}
    left = {(row["settings"], row["end"]): row["after reading"] for row in rows}
    size = {row["end"]: row["bytes"] for row in rows if row["settings"] == "defaults"}

    def lives(name, end, seconds):
        rest = [row["seconds left"] for row in rows if (row["settings"], row["end"]) == (name, end)]
        return seconds - 600 < rest[0] <= seconds

    short, both = "result_expires", "result_expires, failure_expires"
    return {
        "by default all are kept": sum(results["defaults", end] for end in size) == 50,
        "for a day": all(lives("defaults", end, DAY) for end in size),
        "to read them frees nothing": results == left,
        "a failure takes more room than a success": size["failure"] > size["success"],
        "with ignore_result none is kept, not even a failure": not any(
            results["ignore_result", end] for end in size
        ),
        "with task_store_errors_even_if_ignored the failures are": [
            results["ignore_result, store_errors", end] for end in ("success", "failure")
        ]
        == [0, 5],
        "result_expires is for all of them": all(lives(short, end, HOUR) for end in size),
        "result_failure_expires is for those that failed": lives(both, "success", HOUR)
        and lives(both, "failure", WEEK),
    }
