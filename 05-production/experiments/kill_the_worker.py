"""# A whole worker is killed by SIGKILL. Which of its two orders come back?

## Question

A worker prints order A, and has reserved order B: it has B's message, and has not begun. Its
machine loses power: SIGKILL, to the worker and its pool process at once. You start a new worker.
Four configurations: the default, `task_acks_late`, and `task_acks_late` with
`task_reject_on_worker_lost` or with 5.7's `task_retry_on_worker_lost`. What becomes of A and B?

## Predict

- [ ] Both come back at once: the new worker takes over what the dead one had.
- [x] Nothing comes back at first. Later B does, everywhere, and A only if it is acknowledged late.
- [ ] A comes back only with `reject_on_worker_lost`: that is what the setting is for.

## Why

By default a message is acknowledged when its task begins: A is gone from Redis, and its result
is PENDING for ever. B was not begun, so its message stands in `unacked`, where Redis has what was
taken and not acknowledged. Late acknowledgement keeps A's there as well.

Redis does not see a worker die. The messages stay in `unacked` until the visibility timeout is
over, an hour by default, and a worker looks for them. So the new worker is idle, beside two
orders. Only the last worker here has a timeout of 15 seconds.

The two `..._on_worker_lost` say what a living worker does when its *pool process* dies. Here nobody
is left to do it: they change nothing.

The Tasks guide says: "even if the worker is killed [...] the message will be redelivered to another
worker". True of B. For A it needs late acknowledgement, as its next paragraphs say. That it takes
an hour stands on the Redis page.

## Fix

`task_acks_late`, tasks that can run twice, and a `visibility_timeout` a little longer than your
longest task. And a record outside the queue: see `lab run 05/soak`.
"""

from lab.bench import WORKER_READY, wait_until

FATES = {
    "SIGKILL to the worker": {
        "early ack": "A is lost, B is in unacked",
        "acks_late": "A is in unacked, B is in unacked",
        "acks_late + reject_on_worker_lost": "A is in unacked, B is in unacked",
        "acks_late + retry_on_worker_lost": "A is in unacked, B is in unacked",
    },
    "SIGKILL, then a new worker": {
        "early ack": "A is lost, B is in unacked",
        "acks_late": "A is in unacked, B is in unacked",
        "acks_late + reject_on_worker_lost": "A is in unacked, B is in unacked",
        "acks_late + retry_on_worker_lost": "A is in unacked, B is in unacked",
    },
    "SIGKILL, after the visibility timeout": {
        "early ack": "A is lost, B is done",
        "acks_late": "A is run again, B is done",
        "acks_late + reject_on_worker_lost": "A is run again, B is done",
        "acks_late + retry_on_worker_lost": "A is run again, B is done",
    },
}
SOON = {
    "broker_transport_options": {
        "visibility_timeout": 15,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
}


def run(bench):
    from experiments.shared.kill_matrix import Case, hire, occupy, send

    at_once, new_worker, timeout = FATES
    cases = [Case(bench, at_once, way) for way in FATES[at_once]]
    queues = [case.queue for case in cases]
    occupy(bench, cases)
    for case in cases:
        case.worker.kill()
        case.finish()

    def ended(order, cases=cases):
        return all(case.state(order) == "SUCCESS" for case in cases)

    rows = [case.row() for case in cases]
    env = {"PRINTED": str(cases[0].printed)}  # whoever prints now does not wait any more
    worker = hire(bench, queues, {}, env)
    send(bench, queues, "C")
    wait_until(lambda: ended("C"), "the new worker does not work", timeout=60, log=worker.log)
    rows += [case.row(new_worker) for case in cases]

    worker = hire(bench, queues, SOON, env)
    worker.wait_for(WORKER_READY, timeout=60)
    wait_until(lambda: ended("B"), "B does not come back", timeout=120, log=worker.log)
    wait_until(lambda: ended("A", cases[1:]), "A does not come back", timeout=120, log=worker.log)
    wait_until(lambda: not bench.xray().unacked, "it does not come to an end", log=worker.log)
    redelivered = [case.runs("B")[-1].redelivered for case in cases]
    late = [case.row(timeout) for case in cases]
    return rows + [row | {"B redelivered": how} for row, how in zip(late, redelivered, strict=True)]


def claims(rows):
    from experiments.shared.kill_matrix import cells

    late = rows[-4:]
    return cells(rows, FATES) | {
        "B comes back as redelivered, everywhere": all(row["B redelivered"] for row in late),
        "early ack: a client reads PENDING for ever": late[0]["A's state"] == "PENDING",
    }
