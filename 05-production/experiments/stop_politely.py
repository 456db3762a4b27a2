"""# You stop a worker with SIGTERM. What becomes of the order it is printing?

## Question

`kill PID`, `docker stop`, `systemctl stop`: a worker gets SIGTERM while it prints order A, and has
reserved order B. (A second SIGTERM follows, from somebody impatient.) What becomes of the two,
with each way to acknowledge?

## Predict

- [x] A is printed to its end, and B goes back to the queue, whatever the settings.
- [ ] With early acknowledgement A is cut off and lost. Only `acks_late` saves it.
- [ ] A and B are both printed: the worker works off what it has reserved.

## Why

SIGTERM to the worker is a *warm shutdown*: it takes no more messages, waits until what runs has
ended, and ends itself, however long that takes. What it has reserved and not begun it puts back:
"Restoring 1 unacknowledged message(s)". Another worker finds B at once, without any timeout.

The Redis page says that the worker will re-queue unacknowledged messages "with `task_acks_late`
enabled". B comes back without it too: what has not begun is not acknowledged yet.

A further SIGTERM changes nothing. So a worker with a task of ten minutes needs ten minutes to
stop. Docker waits ten seconds, and then sends SIGKILL: that is `kill_the_worker`.

## Fix

Short tasks, and a supervisor that waits longer than the longest of them (`stop_grace_period`,
`TimeoutStopSec`, `stopwaitsecs`). Where it cannot wait so long: `soft_shutdown`.
"""

import signal

from lab.bench import wait_until

FATES = {
    "SIGTERM to the worker": {
        "early ack": "A is done, B is in the queue",
        "acks_late": "A is done, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is done, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is done, B is in the queue",
    },
}


def run(bench):
    from experiments.shared.kill_matrix import employ, occupy

    cases = employ(bench, FATES)
    occupy(bench, cases)
    for case in cases:
        case.worker.send(signal.SIGTERM)
    for case in cases:
        case.worker.wait_for("worker: Warm shutdown")
        case.worker.send(signal.SIGTERM)
    rows = []
    for case in cases:
        wait_until(
            lambda log=case.worker.log: log().count("worker: Warm shutdown") == 2,
            "the worker did not notice the second SIGTERM",
            log=case.worker.log,
        )
        row = {"A after SIGTERM": "runs" if case.runs("A")[0].state == "running" else "ended"}
        case.finish()
        code = case.worker.wait(timeout=60)
        row = case.row() | row | {"exit code": code}
        rows.append(row | {"B put back": "Restoring 1 unacknowledged" in case.worker.log()})
    return rows


def claims(rows):
    from experiments.shared.kill_matrix import cells

    return cells(rows, FATES) | {
        "A ran on after both SIGTERM": {row["A after SIGTERM"] for row in rows} == {"runs"},
        "each worker says that it puts B back": all(row["B put back"] for row in rows),
        "the exit code is 0": {row["exit code"] for row in rows} == {0},
    }
