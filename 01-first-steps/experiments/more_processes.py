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

## Fix

For computing: as many processes as cores, which is Celery's default. For waiting: more
(`--concurrency 20`), or a pool of threads (`--pool threads`). Measure with your own tasks.
"""

import os

from lab.experiments import needs_idle_cores

WORK = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def wait():
    time.sleep(0.4)


@app.task
def compute():
    return sum(number * number for number in range(5_000_000))
""",
    )
}


def run(bench):
    folder = bench.use(bench.copy(WORK))
    tasks_py = folder / "tasks.py"
    tasks_py.write_text("import time\n\n" + tasks_py.read_text())
    from celery import group

    from tasks import compute, wait

    rows = []
    for task in (wait, compute):
        for processes in (1, 2, 4):
            worker = bench.worker("tasks", concurrency=processes)
            before = len(bench.timeline().runs)
            group(task.s() for _ in range(8))().get(timeout=60)
            runs = bench.timeline().runs[before:]
            seconds = max(run.ended or 0 for run in runs) - min(run.started for run in runs)
            rows.append({"task": task.__name__, "processes": processes, "seconds": seconds})
            worker.kill()
    for row in rows:
        first = next(each for each in rows if each["task"] == row["task"])
        row["times as fast"] = round(first["seconds"] / row["seconds"], 1)
        row["cores"] = os.cpu_count()
    return [{**row, "seconds": round(row["seconds"], 1)} for row in rows]


def claims(rows):
    faster = {(row["task"], row["processes"]): row["times as fast"] for row in rows}
    few_cores = (os.cpu_count() or 1) < 4
    return {
        "sleeping: two are nearly twice as fast, four nearly four times": faster["wait", 2] > 1.6
        and faster["wait", 4] > 3,
        needs_idle_cores("computing: two are faster than one"): faster["compute", 2] > 1.2
        or os.cpu_count() == 1,
        needs_idle_cores("computing: four are not twice as fast as two on fewer than four cores"): (
            faster["compute", 4] < 1.5 * faster["compute", 2] or not few_cores
        ),
    }
