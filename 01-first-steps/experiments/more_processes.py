"""# Do four pool processes work four times as fast as one?

## Question

Eight tasks that sleep (they wait, as for a download) and eight that compute. A worker with one
pool process, with two and with four. This machine has a few cores. What is four times as fast?

## Predict

- [ ] Both: four processes do four times the work.
- [x] Sleeping: yes. Computing: only as far as there are cores.
- [ ] Neither: Python runs one thing at a time.

## Why

Each pool process is a Python of its own, so the lock inside Python does not hold them back. A
task that waits needs no core: four processes wait for four things at once. A task that computes
needs a core for itself, and there are no more of those than the machine has.

Look at the column "at once": four tasks that compute have all begun, and on two cores two of them
stand still at any moment. (A sleeper here goes to sleep when there is one for each process: then
the column says the same on a machine that is busy with other things.)

## Fix

For computing: as many processes as cores, which is Celery's default. For waiting: more
(`--concurrency 20`), or a pool of threads (`--pool threads`). Measure with your own tasks.
"""

import os

from lab.bench import wait_until
from lab.course.experiments import needs_idle_cores

WORK = {
    "tasks.py": (
        "@app.task\ndef add(x, y):\n    return x + y\n",
        """import os
import time

from redis import Redis

redis = Redis.from_url(os.environ["REDIS_URL"])


@app.task
def wait(processes):
    came = redis.incr(f"came to {processes}")
    enough = came + -came % processes  # then there is one for each process
    while int(redis.get(f"came to {processes}")) < enough:
        time.sleep(0.01)
    time.sleep(0.4)


@app.task
def compute(processes):
    return sum(number * number for number in range(5_000_000))
""",
    )
}


def run(bench):
    bench.use(bench.copy(WORK))
    from celery import group

    from tasks import compute, wait

    rows = []
    for task in (wait, compute):
        for processes in (1, 2, 4):
            worker = bench.worker("tasks", concurrency=processes)  # with its pool processes
            before = len(bench.timeline().runs)

            def ended(before=before):
                runs = bench.timeline().runs[before:]
                return len(runs) == 8 and all(run.ended for run in runs) and runs

            group(task.s(processes) for _ in range(8)).delay()
            runs = wait_until(ended, "they did not end", timeout=120, log=worker.log)
            at_once = max(sum(r.started <= run.started < r.ended for r in runs) for run in runs)
            row = {"task": task.__name__, "processes": processes, "at once": at_once}
            seconds = max(run.ended for run in runs) - min(run.started for run in runs)
            rows.append(row | {"seconds": seconds})
            worker.kill()
    for row in rows:
        first = next(each for each in rows if each["task"] == row["task"])
        row["times as fast"] = round(first["seconds"] / row["seconds"], 1)
        row["cores"] = os.cpu_count()
    return [{**row, "seconds": round(row["seconds"], 1)} for row in rows]


def claims(rows):
    faster = {row["processes"]: row["times as fast"] for row in rows if row["task"] == "compute"}
    few_cores = (os.cpu_count() or 1) < 4
    return {
        "sleeping: with one process one at a time, with two two, with four four": all(
            row["at once"] == row["processes"] for row in rows if row["task"] == "wait"
        ),
        needs_idle_cores("computing: two are faster than one"): faster[2] > 1.2
        or os.cpu_count() == 1,
        needs_idle_cores("computing: four are not twice as fast as two on fewer than four cores"): (
            faster[4] < 1.5 * faster[2] or not few_cores
        ),
    }
