"""# Does on_failure hear of every failure?

## Question

The base class of your tasks has an `on_failure` that sends you a mail. To compare, you connect a
function to the signal `task_failure` as well. Now a task raises an exception, one runs into its
hard time limit, one has its pool process killed (as the system does when memory is short), and
one its whole worker. How many of the four do the two hear of?

## Predict

- [x] `on_failure` of two, the signal of three.
- [ ] Both of one, the exception. A process that is killed has no last words.
- [ ] Both of all four. A failure is a failure.

## Why

An exception is handled in the pool process, and both are called there. When that process is
gone, the main process of the worker speaks for it. After a time limit it calls both when the
time is up (`on_failure` is new there in 5.7), and the signal once more when the pool reports the
end of the task. After a kill it sends the signal alone. And when the main process dies as well,
nobody is left to speak.

## Fix

Report from the signal: it hears of all tasks, whatever their base class. Let a second report of
the same id change nothing. And open in it what it needs: the main process does not have what a
pool process has opened. For the fourth failure look from outside: see chapter 05.
"""

from lab.bench import wait_until

REPORTING = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


import os
import signal
import time
from celery.signals import task_failure


def hear(hook, task_id):
    with open("heard.txt", "a") as file:
        file.write(f"{hook} {task_id} {os.getpid()}\\n")


class Reporting(app.Task):
    def on_failure(self, exc, task_id, args, kwargs, einfo):
        hear("on_failure", task_id)


@task_failure.connect
def on_signal(task_id, **rest):
    hear("task_failure", task_id)


@app.task(base=Reporting)
def work(how):
    if how == "an exception":
        raise ValueError(how)
    if how == "its process is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
""",
    )
}

FAILURES = ("an exception", "its time limit", "its process is killed", "its worker is killed")
HOOKS = ("on_failure", "task_failure")


def run(bench):
    folder = bench.use(bench.copy(REPORTING))
    worker = bench.worker("tasks", concurrency=4)
    from tasks import add, work

    def heard(hook, result):
        lines = [line.split() for line in (folder / "heard.txt").read_text().splitlines()]
        pids = [int(pid) for which, id, pid in lines if (which, id) == (hook, result.id)]
        process = "main process" if worker.pid in pids else "pool process"
        return {0: "-", 1: process}.get(len(pids), f"{process} ({len(pids)}x)")

    results = []
    for how in FAILURES:
        limit = 3 if how == "its time limit" else None
        results.append(work.apply_async((how,), time_limit=limit))
    for result in results[:3]:
        result.get(propagate=False, timeout=60)
    wait_until(lambda: heard("task_failure", results[0]) != "-", "the signal was not sent")
    wait_until(lambda: len(bench.timeline().runs) == 4, "not all have begun")
    add.delay(0, 0).get(timeout=60)  # the main process takes it when it has called all hooks
    worker.kill()
    rows = [{"failure": how} for how in FAILURES]
    for row, result in zip(rows, results, strict=True):
        row |= {"state": result.state} | {hook: heard(hook, result) for hook in HOOKS}
    return rows


def claims(rows):
    raised, late, killed, worker = (tuple(row.values())[1:] for row in rows)
    pool, main = "pool process", "main process"
    return {
        "an exception: the pool process calls both": raised == ("FAILURE", pool, pool),
        "the time limit: the main process calls both, the signal twice": late
        == ("FAILURE", main, f"{main} (2x)"),
        "a killed pool process: the signal alone": killed == ("FAILURE", "-", main),
        "a killed worker: neither, and the state is PENDING": worker == ("PENDING", "-", "-"),
    }
