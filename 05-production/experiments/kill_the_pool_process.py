"""# Only the pool process is killed. Does `acks_late` bring the order back?

## Question

The kernel's OOM killer takes the process that eats most: the pool process that prints order A. The
worker, its parent, lives. Order B is reserved. What becomes of A and B: by default, with
`task_acks_late`, with `task_reject_on_worker_lost`, and with 5.7's `task_retry_on_worker_lost`?

## Predict

- [ ] A comes back with `acks_late`: it was not acknowledged, and its process is dead.
- [ ] A is lost everywhere, silently, and B with it: both were in that process.
- [x] A fails, with `acks_late` as well. Only the two `..._on_worker_lost` run it again.

## Why

The worker sees its child die. To it that is how the task ended: state FAILURE, with a
`WorkerLostError`, and what has ended is acknowledged. Late changes when, not whether. The Tasks
guide says so and why: a task that kills its process would kill the next one too. Articles that
promise a new run after every crash are wrong here.

`reject_on_worker_lost` puts the message back: A runs again at once, and nothing counts how often.
`retry_on_worker_lost` sends a new message, as `retry` does: after `default_retry_delay` (180
seconds, unless you set it), and at most `max_retries` times. It works with early acknowledgement
too.

B waits in the worker, not in the pool process: the next process prints it.

## Fix

`task_retry_on_worker_lost`, with a `max_retries` and a delay. It adds to `task_acks_late` and does
not replace it: when the whole worker dies, nobody is left to send anything (`kill_the_worker`).
"""

import os
import signal

from lab.bench import wait_until

FATES = {
    "SIGKILL to the pool process": {
        "early ack": "A fails, B is done",
        "acks_late": "A fails, B is done",
        "acks_late + reject_on_worker_lost": "A is run again, B is done",
        "acks_late + retry_on_worker_lost": "A is run again, B is done",
    },
}
OVER = {"is done", "is run again", "fails"}


def run(bench):
    from experiments.shared.kill_matrix import Case, employ, occupy

    retry = {"task_retry_on_worker_lost": True}
    cases = [*employ(bench, FATES), Case(bench, "the same, with a retry", "early ack", retry)]
    occupy(bench, cases)
    for case in cases:
        os.kill(case.worker.pool()[0], signal.SIGKILL)
        case.finish()
    rows = []
    for case in cases:
        wait_until(
            lambda case=case: {case.fate("A"), case.fate("B")} <= OVER,
            f"{case.queue}: A and B do not come to an end",
            timeout=60,
            log=case.worker.log,
        )
        rows.append(case.row() | {"A's retries": case.runs("A")[-1].retries})
    late = cases[1].worker
    late.wait_for("WorkerLostError: Worker exited", timeout=60)
    said = late.log().rpartition("billiard.exceptions")
    rows[1]["message"] = "".join(said[1:]).partition("\n")[0]
    return rows


def claims(rows):
    from experiments.shared.kill_matrix import cells

    early, late, reject, retry, early_retry = rows
    return cells(rows, FATES) | {
        "what fails was begun once": early["A began"] == late["A began"] == 1,
        "nothing counts what reject_on_worker_lost runs again": reject["A's retries"] == 0,
        "retry_on_worker_lost counts it as a retry": retry["A's retries"] == 1,
        "it works with early ack as well: A is run again": early_retry["A"] == "is run again"
        and early_retry["A's retries"] == 1,
    }
