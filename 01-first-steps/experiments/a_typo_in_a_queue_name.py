"""# What happens to a task that is sent to a queue that does not exist?

## Question

You send a task with `queue="emials"`. No worker has ever heard of that queue. Then you notice
the typo, and clean up with `celery purge`.

## Predict

- [ ] `.apply_async` raises an error: there is no such queue.
- [ ] The message goes to the default queue, and the worker runs it.
- [x] The message waits in a queue of that name, without an error, and `purge` leaves it there.

## Why

`task_create_missing_queues` is on by default: to send to a name is to make a queue of that
name. On the other side, a worker reads the queues it was told to, and `celery purge` empties
those that the app knows. A name that stands in a call alone is known to neither.

## Fix

Look into Redis: `lab xray` shows every list that holds messages, whatever its name. Name queues
in one place (`task_routes`), and set `task_create_missing_queues = False` to have a typo raise
at once. To read a queue once, start a worker with `-Q emials`.
"""

import sys

MESSAGES = ["No messages purged from ... queue..."]


def run(bench):
    worker = bench.worker("tasks")
    from tasks import add

    lost = add.apply_async((1, 2), queue="emials")
    add.delay(0, 0).get(timeout=60)  # the worker is well, and has taken what it can see
    rows = [{"after": "sending", "emials": bench.xray().lengths["emials"], "state": lost.state}]
    purge = [sys.executable, "-m", "celery", "-A", "tasks", "purge", "--force"]
    said = bench.run(purge).log().strip().splitlines()[-1]
    rows.append(
        {"after": "celery purge", "emials": bench.xray().lengths["emials"], "message": said}
    )
    bench.worker("tasks", queues="emials")
    rows.append({"after": "worker -Q emials", "result": lost.get(timeout=60)})
    rows[-1]["emials"] = bench.xray().lengths["emials"]
    rows[0]["errors in the worker's log"] = worker.log().count("ERROR")
    return rows


def claims(rows):
    sent, purged, read = rows
    return {
        "the message waits in the queue that the typo made": sent["emials"] == 1,
        "nobody is told: PENDING, and no error in the worker's log": sent["state"] == "PENDING"
        and sent["errors in the worker's log"] == 0,
        "celery purge does not find it": purged["emials"] == 1,
        "a worker that reads that queue runs it": read["result"] == 3 and read["emials"] == 0,
    }
