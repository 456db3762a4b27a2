"""# You press Ctrl-C in the terminal of a worker. Is the order it prints lost?

## Question

A terminal sends SIGINT to the whole group: the worker and its pool processes. Order A is being
printed, order B is reserved. You press Ctrl-C once. In other terminals you press it a second time,
because nothing seems to happen. What becomes of A and B?

## Predict

- [ ] Once is enough to cut A off: its process gets SIGINT too.
- [x] Once: A is printed to its end. Twice: A is cut off, and with early ack lost.
- [ ] However often you press, the worker waits for A: it is the same as SIGTERM.

## Why

Pool processes ignore SIGINT, unlike SIGTERM (`stop_the_whole_group`). So only the worker hears the
first Ctrl-C, and begins a warm shutdown: A goes on, and B is put back. It also says what comes
next: "Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!"

The second Ctrl-C is a SIGQUIT: A is cut off. Its message is in the queue if it is acknowledged
late. If not, A is lost, and its state is RETRY for ever: see `quit_cold`.

The exit code is 1 after one Ctrl-C, although nothing is lost. After two it is 0, and now and then
1. It says nothing about the orders.

## Fix

Press once, read what it says, and wait. A hand that presses twice by habit needs `task_acks_late`
and a `worker_soft_shutdown_timeout`.
"""

import signal

FATES = {
    "Ctrl-C": {
        "early ack": "A is done, B is in the queue",
        "acks_late": "A is done, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is done, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is done, B is in the queue",
    },
    "Ctrl-C twice": {
        "early ack": "A is lost, B is in the queue",
        "acks_late": "A is in the queue, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is in the queue, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is in the queue, B is in the queue",
    },
}


def run(bench):
    from experiments.shared.kill_matrix import employ, occupy

    cases = employ(bench, FATES)
    once, twice = cases[:4], cases[4:]
    occupy(bench, cases)
    for case in cases:
        case.worker.send_group(signal.SIGINT)
    for case in cases:
        case.worker.wait_for("worker: Warm shutdown")
    for case in twice:
        case.worker.send_group(signal.SIGINT)
    for case in once:
        case.finish()
    codes = [case.worker.wait(timeout=60) for case in cases]
    return [case.row() | {"exit code": code} for case, code in zip(cases, codes, strict=True)]


def claims(rows):
    from experiments.shared.kill_matrix import cells

    once, lost = rows[:4], rows[4]
    return cells(rows, FATES) | {
        "Ctrl-C twice, early ack: the state of A is RETRY for ever": lost["A's state"] == "RETRY",
        "after one Ctrl-C the exit code is 1": {row["exit code"] for row in once} == {1},
    }
