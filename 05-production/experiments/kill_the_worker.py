"""# A whole worker is killed by SIGKILL. Which of its two orders come back?

## Question

A worker prints order A, and has reserved order B. Its machine loses power: SIGKILL, to the worker
and its pool process at once. You start a new worker. Three configurations: the default,
`task_acks_late`, and `task_acks_late` with `task_reject_on_worker_lost`. What becomes of A and B?

## Predict

- [ ] Both come back at once: the new worker takes over what the dead one had.
- [x] Nothing comes back at first. Later B does, everywhere, and A only if it is acknowledged late.
- [ ] A comes back only with `reject_on_worker_lost`: that is what the setting is for.

## Why

By default a message is acknowledged when its task begins: A is gone from Redis, and its result
is PENDING for ever. B was not begun, so its message stands in `unacked`. Late acknowledgement keeps
A's there as well.

Redis does not see a worker die. The messages stay in `unacked` until the visibility timeout is
over, an hour by default, and a worker looks for them. So the new worker is idle, beside two
orders. Only the last worker here has a timeout of 5 seconds.

`reject_on_worker_lost` is what a living worker does when its *pool process* dies. Here nobody is
left to do it. The same holds for `retry_on_worker_lost`: it is not in the table.

The Tasks guide says: "even if the worker is killed [...] the message will be redelivered to another
worker". True of B. For A it needs late acknowledgement, as its next paragraphs say. That it takes
an hour stands on the Redis page.

## Fix

`task_acks_late`, tasks that can run twice, and a `visibility_timeout` a little longer than your
longest task. And a record outside the queue: see `soak`.
"""

from lab.bench import WORKER_READY
from lab.waiting import wait_until

SOON = {
    "broker_transport_options": {
        "visibility_timeout": 5,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
}


def run(bench):
    from kill_matrix import WAYS, Press, hire, occupy, send

    ways = {way: WAYS[way] for way in ("early ack", "acks_late", "reject_on_worker_lost")}
    presses = [Press(bench, way, settings) for way, settings in ways.items()]
    occupy(bench, presses)
    for press in presses:
        press.worker.kill()
        press.finish()

    def both(press):
        return f"A {press.fate('A')}, B {press.fate('B')}"

    def ended(order):
        return all(press.state(order) == "SUCCESS" for press in presses)

    rows = [{"acknowledges": press.way, "after the kill": both(press)} for press in presses]
    env = {"PRINTED": str(presses[0].printed)}  # whoever prints now does not wait any more
    worker = hire(bench, ways, {}, env)
    send(bench, ways, "C")
    wait_until(lambda: ended("C"), "the new worker does not work", timeout=60, log=worker.log)
    for press, row in zip(presses, rows, strict=True):
        row["a new worker"] = both(press)

    worker = hire(bench, ways, SOON, env)
    worker.wait_for(WORKER_READY, timeout=60)
    wait_until(lambda: ended("B"), "B does not come back", timeout=60, log=worker.log)
    for press in presses:
        if press.late:
            what = f"{press.way}: A does not come back"
            wait_until(lambda press=press: press.state("A") == "SUCCESS", what, log=worker.log)
    wait_until(lambda: not bench.xray().unacked, "it does not come to an end", log=worker.log)
    for press, row in zip(presses, rows, strict=True):
        row |= press.row() | {"redelivered": press.runs("B")[-1].redelivered}
    return rows


def claims(rows):
    early, late, reject = rows
    return {
        "early ack: after the kill A is lost, B is unacked": early["after the kill"]
        == "A lost, B unacked",
        "acks_late: both are unacked": late["after the kill"] == "A unacked, B unacked",
        "reject_on_worker_lost: both are unacked": reject["after the kill"]
        == late["after the kill"],
        "a new worker prints C, and changes nothing for A and B": all(
            row["a new worker"] == row["after the kill"] for row in rows
        ),
        "after the visibility timeout B is printed, everywhere": all(
            row["B"] == "done" and row["redelivered"] for row in rows
        ),
        "early ack: A is lost for ever, and a client reads PENDING": early["A"] == "lost"
        and early["A's state"] == "PENDING",
        "acks_late: A is begun again, and done": late["A"] == "done" and late["A began"] > 1,
        "reject_on_worker_lost: A is begun again, and done": reject["A"] == "done"
        and reject["A began"] > 1,
    }
