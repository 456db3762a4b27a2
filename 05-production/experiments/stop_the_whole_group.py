"""# SIGTERM goes to the worker and to its pool processes. Does it still stop politely?

## Question

Some supervisors send SIGTERM to the whole process group: supervisor with `stopasgroup=true`,
systemd with its default `KillMode=control-group`. Order A is being printed, order B is reserved.
What becomes of them? One more worker has early acknowledgement and `REMAP_SIGTERM=SIGQUIT` in its
environment, with a soft shutdown of twelve seconds.

## Predict

- [ ] The same as SIGTERM to the worker alone: Celery looks after its children.
- [x] A is killed, and with `acks_late` lost as well. Remapped, A is printed to its end.
- [ ] A is killed everywhere, and late acknowledgement brings it back.

## Why

The worker begins a warm shutdown and means to wait for A. But SIGTERM reached A's process too, and
a pool process dies of it. So the worker sees a lost child, as in `kill_the_pool_process`: FAILURE,
acknowledged, even late. Only `reject_on_worker_lost` and `retry_on_worker_lost` put A back. B is in
the queue again everywhere.

Celery 5.7's own `extra/supervisord/celeryd.conf` gives 600 seconds "to wait for currently executing
tasks to finish", and sets `stopasgroup=true` beside it. There are none left to wait for.

With `REMAP_SIGTERM=SIGQUIT` the pool processes ignore SIGTERM. The worker gets it alone.

## Fix

`stopasgroup=false` (and `killasgroup=true`), `KillMode=mixed`. Or remap, with a soft shutdown. For
the rest: `task_reject_on_worker_lost` or `task_retry_on_worker_lost`.
"""

import signal

SOFT = {"worker_soft_shutdown_timeout": 12.0}
MESSAGES = [
    "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 15 (SIGTERM) Job: ..."
]

FATES = {
    "SIGTERM to the whole group": {
        "early ack": "A fails, B is in the queue",
        "acks_late": "A fails, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is in the queue, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is in the queue, B is in the queue",
    },
}


def run(bench):
    from experiments.shared.kill_matrix import Case, employ, occupy

    remap = {"REMAP_SIGTERM": "SIGQUIT"}
    remapped = Case(bench, "the same, remapped", "early ack", SOFT, remap)
    cases = [*employ(bench, FATES), remapped]
    occupy(bench, cases)
    for case in cases:
        case.worker.send_group(signal.SIGTERM)
    remapped.worker.wait_for("Initiating Soft Shutdown")
    remapped.finish()  # no other picture is ever finished
    for case in cases:
        case.worker.wait(timeout=120)
    rows = [case.row() for case in cases]
    said = cases[1].worker.log().rpartition("billiard.exceptions")
    rows[1]["message"] = "".join(said[1:]).partition("\n")[0]
    return rows


def claims(rows):
    from experiments.shared.kill_matrix import cells

    remapped = rows[-1]
    return cells(rows, FATES) | {
        "remapped, with early ack: A is done, B is in the queue": remapped["A"] == "is done"
        and remapped["B"] == "is in the queue",
    }
