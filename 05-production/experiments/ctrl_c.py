"""# You press Ctrl-C in the terminal of a worker. Is the order it prints lost?

## Question

A terminal sends SIGINT to the whole group: the worker and its pool processes. Order A is being
printed, order B is reserved. You press Ctrl-C once. In two more terminals you press it a second
time, because nothing seems to happen. What becomes of A and B?

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

The exit code is 1 after one Ctrl-C, although nothing is lost, and 0 after two.

## Fix

Press once, read what it says, and wait. A hand that presses twice by habit needs `task_acks_late`
and a `worker_soft_shutdown_timeout`.
"""

import signal


def run(bench):
    from kill_matrix import LATE, WAYS, Press, occupy

    once = [Press(bench, way, settings) for way, settings in WAYS.items()]
    twice = [Press(bench, "early ack twice", {}), Press(bench, "acks_late twice", LATE)]
    presses = [*once, *twice]
    occupy(bench, presses)
    for press in presses:
        press.worker.send_group(signal.SIGINT)
    for press in presses:
        press.worker.wait_for("worker: Warm shutdown")
    for press in twice:
        press.worker.send_group(signal.SIGINT)
    for press in once:
        press.finish()
    codes = [press.worker.wait(timeout=60) for press in presses]
    return [press.row() | {"exit code": code} for press, code in zip(presses, codes, strict=True)]


def claims(rows):
    *once, early, late = rows
    told = {f"{row['acknowledges']}: A is done, B is in the queue": good(row) for row in once}
    return told | {
        "pressed twice, early ack: A is lost, its state is RETRY": early["A"] == "lost"
        and early["A's state"] == "RETRY",
        "pressed twice, acks_late: A is in the queue": late["A"] == "queue",
        "pressed twice, B is in the queue": early["B"] == late["B"] == "queue",
        "the exit code is 1 where nothing is lost, and 0 where A is": early["exit code"] == 0
        and {row["exit code"] for row in once} == {1},
    }


def good(row):
    return row["A"] == "done" and row["B"] == "queue" and row["A began"] == 1
