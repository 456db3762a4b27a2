"""# A task has a time limit of one second. Does it end after a second?

## Question

A task works for a long time. It gets a soft limit of one second, or a hard limit of one second:
on the pool `prefork` (the default), on `threads` and on `solo`. A second task, on `prefork`, is
careful. It tries the work twice, with `except Exception` around it. It gets a soft limit of
one second, alone and together with a hard limit of two. Which of the eight end early?

## Predict

- [ ] All of them. A limit is a limit: the worker stops the task.
- [x] Three, all on prefork: `work` with either limit, and `careful` with both.
- [ ] Four: those with a hard limit. A soft one is a request, which a task may refuse.

## Why

The soft limit is a signal to the pool process: it raises `SoftTimeLimitExceeded` in the middle of
your code, wherever it is. The hard limit is SIGTERM to the pool process and, a moment later,
SIGKILL: a `finally` may begin, and be cut off. The worker starts another process. Both need a
process of its own for the task. In a thread, and in the worker itself (`solo`), nobody can be hit
without the others. So nothing happens, and nothing is logged: the setting has no effect. (`gevent`
has the hard limit for what waits, and no soft one.)

`SoftTimeLimitExceeded` is an `Exception`. A wide `except`, as it often stands around a call of a
service, swallows the one signal that the task gets. The work goes on, or begins again.

## Fix

Timeouts of its own for everything that waits (`httpx.Timeout` in `printshop/payments.py`): they
work in every pool, and you know what was slow. Catch what you expect, and nothing wider. Set both
limits on prefork, the hard one some seconds later: it also stops who has eaten the soft one.
"""

from celery import Celery

from lab.bench import wait_until

SERVICE = """
import time

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("service", broker=REDIS, backend=REDIS)

def ask(seconds):
    time.sleep(seconds)
    return "to the end"

@app.task
def work(seconds):
    return ask(seconds)

@app.task
def careful(*seconds):
    for attempt in (0, 1):
        try:
            return f"{ask(seconds[attempt])}, at attempt {attempt + 1}"
        except Exception:
            pass  # the service had a bad moment: once more
"""

SOFT, HARD = {"soft_time_limit": 1}, {"time_limit": 1}
POOLS = ("prefork", "threads", "solo")
NEVER = 300  # what is stopped would never end by itself: a limit that comes late strikes as well
CASES = [
    *(
        (pool, "work", limit, (NEVER if pool == "prefork" else 3,))
        for pool in POOLS
        for limit in (SOFT, HARD)
    ),
    ("prefork", "careful", SOFT, (NEVER, 3)),
    ("prefork", "careful", SOFT | {"time_limit": 2}, (NEVER, NEVER)),
]


def run(bench):
    (bench.folder / "service.py").write_text(SERVICE)
    client, workers = Celery(set_as_current=False), {}
    for pool in POOLS:
        workers[pool] = bench.worker(
            "service", cwd=bench.folder, pool=pool, queues=pool, concurrency=4, wait=False
        )
    bench.all_ready()
    results = [
        client.send_task(f"service.{task}", seconds, queue=pool, **how)
        for pool, task, how, seconds in CASES
    ]

    def said(worker, result):
        """The worker's lines about the limits of a task."""
        lines = [line.partition("] ")[2] for line in worker.log().splitlines()]
        return [line for line in lines if "time limit (" in line and result.id in line]

    rows = []
    for (pool, task, limits, _), result in zip(CASES, results, strict=True):
        result.get(propagate=False, timeout=60)
        row = {"pool": pool, "task": task, "limit": " + ".join(limits), "state": result.state}
        worker, lines = workers[pool], len(limits) if pool == "prefork" else 0
        wait_until(
            lambda worker=worker, result=result, n=lines: len(said(worker, result)) == n,
            f"the worker did not say {lines} lines about {task} with {limits}",
            log=worker.log,
        )
        last = "".join(said(worker, result)[-1:])
        rows.append(row | {"the log says": last.partition(" for ")[0]})
    return rows


def claims(rows):
    state = {(row["pool"], row["task"], row["limit"]): row["state"] for row in rows}
    soft, hard = "soft_time_limit", "time_limit"
    return {
        "on prefork the soft and the hard limit end the task": state["prefork", "work", soft]
        == state["prefork", "work", hard]
        == "FAILURE",
        "on threads and solo neither does": {
            state[pool, "work", limit] for pool in ("threads", "solo") for limit in (soft, hard)
        }
        == {"SUCCESS"},
        "and there is no word of it in the log": not any(
            row["the log says"] for row in rows if row["pool"] != "prefork"
        ),
        "except Exception eats the soft limit": state["prefork", "careful", soft] == "SUCCESS",
        "a hard limit after it still ends the task": state["prefork", "careful", f"{soft} + {hard}"]
        == "FAILURE",
    }
