"""# What does a progress bar cost?

## Question

A task works through 1,000 items, and each takes no time at all. It tells its progress with
`update_state(meta={"done": ..., "of": 1000})`: after each item, or after each hundredth. What
does Redis get to do, and what is `result.info` when the task has returned "finished"?

## Predict

- [ ] A few writes: Celery collects them. In the end the page shows 1,000 of 1,000.
- [x] Five thousand commands. In the end there are no numbers any more.
- [ ] Five thousand commands. In the end the page shows 1,000 of 1,000.

## Why

Each `update_state` is done at once: Redis reads the old state, writes the new one and publishes
it, in a transaction. That makes five commands, and the loop waits for them. Celery collects
nothing. The page asks once a second, so nearly all of these writes are seen by nobody.

Progress and result lie in one place, and what the task returns replaces the `meta`. A page that
shows `info["done"]` breaks when the task has finished.

## Fix

Tell it after a page of items, as `fan_out` does, or when a second has passed. Return the last
numbers: `return {"done": 1000, "of": 1000}`. Or keep the progress in a place of your own: the
mailroom does not ask Celery how many mails are sent, it counts them.
"""

import json

COUNTING = """
import make_celery
from celery import shared_task

@shared_task(bind=True, ignore_result=False)
def work(self, every):
    for number in range(1, 1001):
        if number % every == 0:
            self.update_state(state="PROGRESS", meta={"done": number, "of": 1000})
    shown = self.AsyncResult(self.request.id).info
    return f"finished, after {shown}"
"""

COMMANDS = ("get", "multi", "setex", "publish", "exec")

CALL = """
import json
import time
from counting import work
began = time.monotonic()
result = work.delay(EVERY)
result.get(timeout=120)
seconds = round(time.monotonic() - began, 2)
print(json.dumps({"seconds": seconds, "info in the end": result.info}))
"""


def run(bench):
    folder = bench.copy({})
    (folder / "counting.py").write_text(COUNTING)
    bench.worker("make_celery", options=["-I", "counting"], cwd=folder)
    rows = []
    for every in (1, 100):
        bench.broker.client.config_resetstat()
        said = bench.python(CALL.replace("EVERY", str(every)), cwd=folder, timeout=120)
        calls = bench.broker.client.info("commandstats")
        row = {"it tells every": every}
        row |= {name: calls[f"cmdstat_{name}"]["calls"] for name in COMMANDS}
        rows.append(row | json.loads(said))
    return rows


def claims(rows):
    each, page = rows
    return {
        "after each item: 1,000 times five commands": min(each[name] for name in COMMANDS) >= 1000,
        "after each hundredth less than a tenth of it": all(
            10 * page[name] < each[name] for name in COMMANDS
        ),
        "while it ran the numbers were there": "{'done': 1000, 'of': 1000}"
        in each["info in the end"],
        "what it returned has replaced them": isinstance(each["info in the end"], str),
    }
