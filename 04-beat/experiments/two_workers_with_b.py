"""# A worker with `-B` is beat as well. What if you start a second one?

## Question

`celery worker -B` runs beat inside of the worker: one command less to start. The studio has more
work one day, and you start a second worker with the same command. How many messages are sent?

## Predict

- [ ] As many as before: the two workers share the work, and the schedule.
- [x] Twice as many: each worker has a beat of its own.
- [ ] As many as before: the second one sees that there is a beat, and starts none.

## Why

`-B` starts a beat process beside the pool, in each worker that is told to. Workers share a queue,
because each message is taken once. Nobody shares a schedule: each beat sends all of it.

## Fix

`-B` is for your desk. Anywhere else beat is a process of its own, and there is one: then you can
start as many workers as you like.
"""

from lab.waiting import wait_until

SENT = "Sending due task beat (clock.tasks.heartbeat)"
OFTEN = {
    "clock/celery.py": (
        "app.conf.beat_schedule = SCHEDULE\n",
        'app.conf.beat_schedule = {"beat": {"task": "clock.tasks.heartbeat", "schedule": 0.5}}\n',
    )
}


def run(bench):
    folder = bench.copy(OFTEN)
    workers = [
        bench.worker(
            "clock",
            cwd=folder,
            options=["-B", "--schedule", str(bench.folder / f"schedule-{number}")],
            wait=False,
        )
        for number in (1, 2)
    ]
    for worker in workers:
        wait_until(
            lambda worker=worker: worker.log().count(SENT) >= 4,
            "its beat does not send",
            timeout=60,
            log=worker.log,
        )
    return [
        {"worker": f"worker {number} with -B", "its beat has sent": worker.log().count(SENT)}
        for number, worker in enumerate(workers, 1)
    ]


def claims(rows):
    return {
        "the first worker sends the whole schedule": rows[0]["its beat has sent"] >= 4,
        "the second one sends it as well": rows[1]["its beat has sent"] >= 4,
    }
