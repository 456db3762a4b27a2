"""# You stop a worker with SIGQUIT. Is that like SIGKILL?

## Question

A worker does not end after SIGTERM, because order A takes its time. Order B is reserved. You send
SIGQUIT, and it ends at once. What becomes of A and B? And what do the client of A and the exit code
say?

## Predict

- [ ] It is like SIGKILL: nothing comes back before the visibility timeout.
- [ ] A is retried, everywhere: a client reads its state, and it says RETRY.
- [x] Late: both are in the queue at once. Early: A is lost, and its state is RETRY for ever.

## Why

SIGQUIT is a *cold shutdown*. The worker ends its pool processes, and then, unlike after SIGKILL, it
still puts back all that is not acknowledged: B, and A if it is acknowledged late.

An early acknowledged A has no message any more. The worker writes RETRY as its state all the same,
"cancelled by Celery". Nobody sends anything. A client waits for ever.

The guide says of a cold shutdown: "The worker will stop all currently executing tasks and terminate
immediately". It does not say that they are lost by default. The Redis page warns that the worker
"might not be able to re-queue the tasks on time". Here Redis answers, and it is.

The exit code is 0: it does not say that something was lost. (One Ctrl-C loses nothing, and ends
with 1. Do not read exit codes of workers.)

## Fix

`task_acks_late`, and tasks that can run twice. SIGQUIT only when SIGTERM takes too long, and best
with a `worker_soft_shutdown_timeout`: see `soft_shutdown`.
"""

import signal

FATES = {
    "SIGQUIT": {
        "early ack": "A is lost, B is in the queue",
        "acks_late": "A is in the queue, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is in the queue, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is in the queue, B is in the queue",
    },
}


def run(bench):
    from experiments.shared.kill_matrix import employ, occupy

    cases = employ(bench, FATES)
    occupy(bench, cases)
    for case in cases:
        case.worker.send(signal.SIGQUIT)
    codes = [case.worker.wait(timeout=60) for case in cases]
    return [case.row() | {"exit code": code} for case, code in zip(cases, codes, strict=True)]


def claims(rows):
    from experiments.shared.kill_matrix import cells

    return cells(rows, FATES) | {
        "early ack: the state of A is RETRY for ever": rows[0]["A's state"] == "RETRY",
        "the exit code is 0, whether something is lost or not": all(
            row["exit code"] == 0 for row in rows
        ),
    }
