"""# You revoke a task. Does it run all the same?

## Question

You call `revoke` for a task in the queue, for one with a countdown, and for one that runs; for a
fourth, which runs too, with `terminate=True`. Two more have a countdown, and before it is over
their workers are stopped and started again: one as always, one with `--statedb`. Which of the six
run to their end?

## Predict

- [ ] The one that ran already. A task that is revoked does not begin any more.
- [x] The one that ran already, and the one whose worker was started again as always.
- [ ] The one that ran already, and both whose workers were started again.

## Why

`revoke` does not touch the queue. It tells an id to the workers that run at this moment, and each
keeps it in its memory. A worker that is to begin a task with this id throws it away. What has
begun goes on, unless you say `terminate=True`: then its pool process is killed in the middle. Yet
its state is REVOKED until it ends: the other workers take it for one that nobody has begun.

When a worker stops, it gives back what it has not begun, and its memory is gone. The next one gets
the message, knows nothing of your call, and runs the task. Its state was REVOKED before: since 5.6
this is written at once, when a worker hears of it. It is an intention, not a fact.

`--statedb FILE` keeps the ids when this worker is stopped, and not when it is killed. A worker that
starts also asks the others what is revoked. (Those of the bench do not: `--without-mingle`.)

## Fix

A mark of your own, in a file or in Redis, that the task looks at before it begins and before each
step that cannot be undone: `cancel_or_terminate` in chapter 03. Terminate only what hangs.
"""

from celery import Celery

from lab.bench import wait_until

SANDBOX = """
import os
import time
from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("sandbox", broker=REDIS, backend=REDIS)

@app.task
def work(gate):
    while gate and not os.path.exists(gate):  # it ends when the experiment says so
        time.sleep(0.05)
"""

CASES = {  # and the queue of each: the worker that reads it has the same name
    "in the queue": "first",
    "with a countdown": "first",
    "running": "first",
    "running, terminate=True": "first",
    "countdown, then a restart": "second",
    "the same, with --statedb": "third",
}
QUEUED, WAITING, RUNNING, KILLED, RESTARTED, STATEDB = CASES


def run(bench):
    (bench.folder / "sandbox.py").write_text(SANDBOX)
    client, gate, ids, states = Celery(set_as_current=False), bench.folder / "gate", {}, {}

    def start(name):
        words = {"options": ["--statedb", "revoked"] if name == "third" else [], "concurrency": 2}
        return bench.worker("sandbox", cwd=bench.folder, queues=name, wait=False, **words)

    workers = {name: start(name) for name in ("first", "second", "third")}
    bench.all_ready()

    def send(case, gate="", **options):
        ids[case] = client.send_task("sandbox.work", (str(gate),), queue=CASES[case], **options).id
        workers[CASES[case]].wait_for(f"[{ids[case]}] received", timeout=60)

    def revoke(case, hear, said="Tasks flagged as revoked: ", **options):
        client.control.revoke(ids[case], **options)
        for worker in hear:  # each of them writes a state first, and then this line
            worker.wait_for(f"{said}{ids[case]}", timeout=60)
        states[case] = state(case)

    def state(case):
        return client.AsyncResult(ids[case]).state

    def how_far(case):
        return next((run.state for run in bench.timeline().runs if run.id == ids[case]), "no")

    def wait_for(case, end):
        wait_until(lambda: how_far(case) == end, f"{case}: it is not {end}", timeout=60)

    for case in (RESTARTED, STATEDB):
        send(case, countdown=20)  # longer than it takes to stop its worker
        revoke(case, [workers[CASES[case]]])
        workers[CASES[case]].stop()
        workers[CASES[case]] = start(CASES[case])
    first, *_ = everyone = list(workers.values())
    for worker in everyone:  # one that is starting hears nothing
        wait_until(worker.answers, "a worker does not answer", log=worker.log)
    for case in (RUNNING, KILLED):
        send(case, gate)
        wait_until(lambda id=ids[case]: id in first.active(), f"{case}: it does not begin")
    send(QUEUED)
    send(WAITING, countdown=3)
    for case in (QUEUED, WAITING, RUNNING):
        revoke(case, everyone)
    revoke(KILLED, [first], said="Terminating ", terminate=True)
    wait_for(KILLED, "cut off")
    gate.touch()
    for case in (RUNNING, RESTARTED):
        wait_for(case, "SUCCESS")
    for case in (QUEUED, WAITING, STATEDB):
        workers[CASES[case]].wait_for(f"Discarding revoked task: sandbox.work[{ids[case]}]")
    return [
        {"revoked": case, "at once": states[case], "it ran": how_far(case), "now": state(case)}
        for case in CASES
    ]


def claims(rows):
    found = {row["revoked"]: tuple(row.values())[1:] for row in rows}
    never = ("REVOKED", "no", "REVOKED")
    return {
        "in the queue and with a countdown it never runs": found[QUEUED] == found[WAITING] == never,
        "what runs is REVOKED at once, goes on, and succeeds": found[RUNNING]
        == ("REVOKED", "SUCCESS", "SUCCESS"),
        "with terminate=True it ends in the middle": found[KILLED][1:] == ("cut off", "REVOKED"),
        "after a restart it runs, and was REVOKED before": found[RESTARTED]
        == ("REVOKED", "SUCCESS", "SUCCESS"),
        "with --statedb it never runs": found[STATEDB] == never,
    }
