"""# A task starts a process of its own. Which way works, and who ends it?

## Question

A task needs a program that takes long. Five tasks start it, each in another way:
`multiprocessing.Process`, `ProcessPoolExecutor`, `billiard.Process`, `subprocess.run`, and
`subprocess.run` with a timeout of three seconds. Then the kernel is short of memory: all processes
of the pool (`prefork`) get a SIGKILL. Which of the programs run, and which of them run on?

## Predict

- [ ] All five run, and none runs on. A process ends with the one that has started it.
- [ ] Three run, and none runs on: the worker looks after what its tasks have started.
- [x] Three run. Two of them run on. The one with the timeout has ended before.

## Why

A pool process is daemonic, as Python calls it: a process that must not start others in Python's
way, since nobody would end them. `multiprocessing` asks, and refuses. `ProcessPoolExecutor` is
made of it. `billiard`, Celery's own copy of `multiprocessing`, lets a pool process do it.
`subprocess` starts another program, and does not ask at all.

SIGKILL ends the pool process, and nothing else. What it had started loses its parent and goes on:
it computes, it writes, and the next attempt of the task starts a second one beside it. After a
hard time limit it depends. SIGTERM comes first, `subprocess.run` kills its program then, and has
a tenth of a second for it. On a busy machine SIGKILL is faster.

A timeout of `subprocess.run` is inside the task: it kills the program, and then raises
`TimeoutExpired`.

## Fix

`subprocess.run(..., timeout=...)`, with a timeout below the time limits of the task. Ask first
whether you need processes in a task: the pool is a set of processes, and a group of tasks uses all
of it.
"""

import os
import signal

import psutil
from celery import Celery

from lab.bench import wait_until

MESSAGES = ["AssertionError: daemonic processes are not allowed to have children"]

STUDIO = """
import multiprocessing
import os
import subprocess
from concurrent.futures import ProcessPoolExecutor

import billiard
from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("studio", broker=REDIS, backend=REDIS)
PROGRAM = 'echo $$ > "$0" && exec sleep 600'

def program(file):
    os.execvp("sh", ["sh", "-c", PROGRAM, file])

@app.task(name="multiprocessing.Process")
def one(file):
    process = multiprocessing.Process(target=program, args=(file,))
    process.start()
    process.join()

@app.task(name="ProcessPoolExecutor")
def two(file):
    with ProcessPoolExecutor(1) as executor:
        executor.submit(program, file).result()

@app.task(name="billiard.Process")
def three(file):
    process = billiard.Process(target=program, args=(file,))
    process.start()
    process.join()

@app.task(name="subprocess.run")
def four(file):
    subprocess.run(["sh", "-c", PROGRAM, file])

@app.task(name="subprocess.run, timeout")
def five(file):
    subprocess.run(["sh", "-c", PROGRAM, file], timeout=10)
"""

WAYS = [
    "multiprocessing.Process",
    "ProcessPoolExecutor",
    "billiard.Process",
    "subprocess.run",
    "subprocess.run, timeout",
]


def run(bench):
    (bench.folder / "studio.py").write_text(STUDIO)
    worker = bench.worker("studio", cwd=bench.folder, concurrency=5)
    client, files = Celery(set_as_current=False), [bench.folder / f"pid{n}" for n in range(5)]
    sent = [client.send_task(way, (str(file),)) for way, file in zip(WAYS, files, strict=True)]
    errors = {n: sent[n].get(propagate=False, timeout=60) for n in (0, 1, 4)}
    for file in files[2:]:
        wait_until(lambda f=file: f.exists() and f.read_text(), "it did not start", log=worker.log)
    pool = worker.pool()
    for pid in pool:
        os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: not any(map(psutil.pid_exists, pool)), "the pool survived SIGKILL", log=worker.log
    )
    rows = []
    for number, (way, file) in enumerate(zip(WAYS, files, strict=True)):
        error = errors.get(number)
        row = {"the task starts": way, "it ends by": type(error).__name__ if error else "SIGKILL"}
        row["its program"] = "never ran"
        if file.exists():
            row["its program"] = (
                "runs on" if psutil.pid_exists(int(file.read_text())) else "has ended"
            )
        refused = isinstance(error, AssertionError)
        rows.append(row | {"message": f"AssertionError: {error}" if refused else ""})
    return rows


def claims(rows):
    ends = [row["it ends by"] for row in rows]
    programs = [row["its program"] for row in rows]
    return {
        "multiprocessing and ProcessPoolExecutor are refused": ends[:2] == ["AssertionError"] * 2
        and programs[:2] == ["never ran"] * 2,
        "billiard and subprocess are not": "never ran" not in programs[2:],
        "their programs outlive the pool process": programs[2:4] == ["runs on"] * 2,
        "a timeout in the task ends the program": ends[4] == "TimeoutExpired"
        and programs[4] == "has ended",
    }
