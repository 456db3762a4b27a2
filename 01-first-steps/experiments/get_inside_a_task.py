"""# May a task wait for another task?

## Question

A task sends another one and calls `.get()` on it. The worker has one pool process. We try it
plainly, then with `allow_join_result()`, which takes Celery's safety catch off, and then as a
chain.

## Predict

- [ ] Celery runs the second task in between, and all three return 3.
- [x] The first is refused, the second waits for itself until its timeout, the third returns 3.
- [ ] The first two wait for ever. Celery cannot know that there is only one process.

## Why

The only pool process is busy: it waits for a task that needs a pool process. Nobody can help
it. With ten processes it works, until ten such tasks come at once: then all ten wait. Celery
refuses `.get()` inside a task for that reason.

## Fix

Let the message carry the work on. `chain(add.s(1, 1), add.s(1))` sends the second task when the
first has ended, and nobody waits.
"""

from celery import chain
from celery.exceptions import TimeoutError

MESSAGES = ["RuntimeError: Never call result.get() within a task!"]

WAITING = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def add_and_wait(x, y, z):
    return add.delay(x, y).get(timeout=3) + z


@app.task
def add_and_wait_all_the_same(x, y, z):
    from celery.result import allow_join_result

    with allow_join_result():
        return add.delay(x, y).get(timeout=3) + z
""",
    )
}


def run(bench):
    bench.use(bench.copy(WAITING))
    bench.worker("tasks", concurrency=1)
    from tasks import add, add_and_wait, add_and_wait_all_the_same

    rows = []
    for how, result in (
        (".get() inside a task", add_and_wait.delay(1, 1, 1)),
        (".get(), allowed", add_and_wait_all_the_same.delay(1, 1, 1)),
        ("a chain", chain(add.s(1, 1), add.s(1)).delay()),
    ):
        try:
            row = {"how": how, "result": result.get(timeout=60)}
        except (RuntimeError, TimeoutError) as error:
            row = {"how": how, "message": f"{type(error).__name__}: {error}"}
        rows.append({**row, "state": result.state})
    return rows


def claims(rows):
    refused, deadlocked, chained = rows
    return {
        "the plain .get() is refused": refused["state"] == "FAILURE",
        "the allowed one runs into its timeout": "TimeoutError" in deadlocked.get("message", ""),
        "the chain returns 3": chained.get("result") == 3,
    }
