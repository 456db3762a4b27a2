"""# A task leaks memory. What does a limit do about it?

## Question

Each time a task runs, it keeps 40 MB for ever. It runs six times, on three workers with one pool
process each: without a limit, with `worker_max_tasks_per_child = 2`, and with
`worker_max_memory_per_child` at 120 MB. A fourth worker has this last limit too. Its task needs
150 MB and gives all of it back; it runs three times. What do the limits do?

## Predict

- [ ] A task that goes over the limit of memory is stopped, and fails.
- [ ] All tasks end. Two workers replace their process. The fourth does not: it has given all back.
- [x] All tasks end. Three workers replace their process, the fourth one after each task.

## Why

Both limits are looked at between two tasks. The process ends, all that it held is free, and the
worker starts a new one. No task is lost by it. And none is stopped by it: a single run that needs
all the memory of the machine gets it, and is killed by the system, limit or not.

The limit of memory looks at the most that the process has ever held (`ru_maxrss`), not at what it
holds now. So one large photo is enough. And a limit below what a fresh process needs replaces it
after every task.

That has a price. A worker often notices the end of such a process only when it looks for it, every
five seconds. So long the process is missing: with one process the next task waits.

## Fix

Find the leak: a list or a dict of a module that only grows, a cache without a size. Until then set
a limit well above what the largest honest task needs, as in `printshop/settings.py`.
"""

import itertools
import statistics

from celery import Celery

DARKROOM = """
import os
import resource
import sys

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("darkroom", broker=REDIS, backend=REDIS)
kept = []

def megabytes():  # the most that this process has ever held
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (2**20 if sys.platform == "darwin" else 2**10)

@app.task
def leak():
    kept.append(b"x" * 40_000_000)
    return os.getpid(), megabytes()

@app.task
def borrow():
    len(b"x" * 150_000_000)
    return os.getpid(), megabytes()
"""

TASKS, MEMORY = ["--max-tasks-per-child", "2"], ["--max-memory-per-child", "120000"]  # KiB
WORKERS = {
    # the queue of each: its options, its task, and how often it runs
    "no limit": ([], "leak", 6),
    "2 tasks": (TASKS, "leak", 6),
    "120 MB": (MEMORY, "leak", 6),
    "120 MB, given back": (MEMORY, "borrow", 3),
}


def run(bench):
    (bench.folder / "darkroom.py").write_text(DARKROOM)
    client = Celery(set_as_current=False)

    def start(queue, options):
        folder = bench.folder
        return bench.worker("darkroom", cwd=folder, queues=queue, options=options, wait=False)

    for number, its in enumerate(WORKERS.values()):
        start(f"queue{number}", its[0])
    bench.all_ready()
    results = [
        [client.send_task(f"darkroom.{task}", queue=f"queue{n}") for _ in range(times)]
        for n, (_, task, times) in enumerate(WORKERS.values())
    ]
    rows = []
    for limit, sent in zip(WORKERS, results, strict=True):
        pids, sizes = zip(*(result.get(timeout=60) for result in sent), strict=True)
        row = {"limit": limit, "ended": len(pids), "processes": len(set(pids))}
        starts = {run.id: run.started for run in bench.timeline().runs}
        gaps = [starts[b.id] - starts[a.id] for a, b in itertools.pairwise(sent)]
        row |= {"largest, MB": max(sizes)}
        for what, new in (("wait, same process, s", False), ("wait, new process, s", True)):
            found = [gap for n, gap in enumerate(gaps) if (pids[n] != pids[n + 1]) == new]
            row[what] = round(statistics.median(found), 2) if found else "-"
        rows.append(row)
    return rows


def claims(rows):
    none, tasks, memory, borrowed = rows
    return {
        "without a limit one process runs all, and grows": none["processes"] == 1
        and none["largest, MB"] > 6 * 38,
        "with either limit the process is replaced, and all tasks end": tasks["processes"] == 3
        and 1 < memory["processes"] < 6
        and tasks["ended"] == memory["ended"] == 6,
        "so no process grows as large as without a limit": max(
            tasks["largest, MB"], memory["largest, MB"]
        )
        < none["largest, MB"] - 2 * 38,
        "what was given back counts as well": borrowed["processes"] == 3,
        "who waits for a new process waits longer": min(
            row["wait, new process, s"] for row in (tasks, memory, borrowed)
        )
        > none["wait, same process, s"],
    }
