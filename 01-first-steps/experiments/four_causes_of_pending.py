"""# Four tasks are PENDING. What do they wait for?

## Question

Four times you hold an id, ask for the state, and Celery says `PENDING`:

1. an id that somebody mistyped,
2. a task whose worker has finished it, with `ignore_result=True`,
3. a task whose result you have released with `forget()`,
4. a task that waits in a queue that no worker reads.

How many of the four will leave PENDING if you wait long enough?

## Predict

- [ ] All four: PENDING means that the task waits for its turn.
- [ ] Two: the ignored one and the waiting one. The others are lost.
- [x] None, as things stand. And only one of them waits at all.

## Why

Celery writes nothing to the result backend when you send a task. It writes when the task has
ended. So to the backend a task that waits, one that never existed and one whose result is gone
all look the same: there is no key. `PENDING` is the name for "I know nothing of this id".

## Fix

Look where the task could be, not at its state. `lab xray` shows the queues: a message that
waits under a name that nobody reads is a typo. If you must tell "waiting" from "unknown",
remember the ids that you sent. If you must see that a task has begun, set
`task_track_started=True`.
"""

import uuid


def run(bench):
    bench.worker("tasks")
    from tasks import add

    ignored = add.apply_async((1, 1), ignore_result=True)
    forgotten = add.delay(2, 2)
    forgotten.get(timeout=60)
    forgotten.forget()
    unread = add.apply_async((3, 3), queue="thumbnials")
    results = {
        "a mistyped id": add.AsyncResult(str(uuid.uuid4())),
        "result ignored": ignored,
        "result forgotten": forgotten,
        "nobody reads its queue": unread,
    }
    # One worker takes its messages in order: when this one is done, so are those before it.
    add.delay(4, 4).get(timeout=60)
    ran = {entry.id for entry in bench.timeline().runs}
    waiting = {message.id for queue in bench.xray().queues.values() for message in queue}
    return [
        {
            "cause": cause,
            "state": add.AsyncResult(result.id).state,
            "has run": result.id in ran,
            "waits in Redis": result.id in waiting,
        }
        for cause, result in results.items()
    ]


def claims(rows):
    typo, ignored, forgotten, _ = rows
    return {
        "all four are PENDING": {row["state"] for row in rows} == {"PENDING"},
        "the mistyped id never was a task": not typo["has run"] and not typo["waits in Redis"],
        "the ignored and the forgotten one have run": ignored["has run"] and forgotten["has run"],
        "only the one in the unread queue waits": [row["waits in Redis"] for row in rows]
        == [False, False, False, True],
    }
