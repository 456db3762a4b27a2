"""# Orders with the priorities 9, 6, 5, 3, 0 and none. Which one is printed first?

## Question

You come from RabbitMQ, where 9 is more urgent than 0. On Redis you send six orders, in this order:
with the priorities 9, 6, 5, 3 and 0, and one without. Then a worker starts. In which order does it
run them?

## Predict

- [ ] 9, 6, 5, 3, 0, and the one without at the end.
- [ ] 0, 3, 5, 6, 9, and the one without at the end: nobody said that it is urgent.
- [x] 0 and the one without, then 5 and 3, then 6, then 9.

## Why

Redis has no priorities. Kombu makes four lists out of a queue, and asks them in this order: the
queue's own name for 0 to 2, then one each for 3 to 5, 6 to 8 and 9. Within a list, first come,
first served: 5 was sent before 3. So 0 is the most urgent, the reverse of RabbitMQ.

A message without a priority is one with 0. So a 0 for the important task alone changes nothing: all
the others have it as well.

## Fix

Set `task_default_priority = 6` first, and then 0 or 3 for what is to overtake: the last row. (The
setting is for `.delay()` and `.apply_async()`. `send_task` does not know it.) Or give urgent work a
queue and a worker of its own, see `urgent_behind_bulk`: that works the same on every broker.
"""

import json

from lab.bench import wait_until

PRINTER = """
import os
from celery import Celery

app = Celery("printer", broker="redis://localhost:6379/0")
if "DEFAULT" in os.environ:
    app.conf.task_default_priority = int(os.environ["DEFAULT"])

@app.task(ignore_result=True)
def print_order(order):
    pass
"""

SEND = """
from printer import print_order

for priority in (9, 6, 5, 3, 0):
    print_order.apply_async((f"priority {priority}",), priority=priority)
print_order.delay("none")
"""
SEND_MORE = """
from printer import print_order

print_order.delay("none, the default is 6")
"""


def run(bench):
    (bench.folder / "printer.py").write_text(PRINTER)
    redis, rows = bench.broker.client, []
    said = bench.python(SEND, cwd=bench.folder)
    said += bench.python(SEND_MORE, cwd=bench.folder, env={"DEFAULT": "6"})
    assert not said, said
    for name in sorted(redis.scan_iter("celery*", _type="list")):
        for message in map(json.loads, reversed(redis.lrange(name, 0, -1))):
            order = message["headers"]["argsrepr"].strip("(',)")
            rows.append({"order": order, "in the list": repr(name)})
    worker = bench.worker("printer", cwd=bench.folder)
    wait_until(
        lambda: worker.log().count(" succeeded in ") == 7, "not all of them ran", log=worker.log
    )
    ran = [run.label for run in bench.timeline().runs]
    return [{**row, "ran as number": 1 + ran.index(row["order"])} for row in rows]


def claims(rows):
    ran = [row["order"] for row in sorted(rows, key=lambda row: row["ran as number"])]
    place = {row["order"]: row["in the list"] for row in rows}
    return {
        "0 runs first, and 9 last": ran[0] == "priority 0" and ran[-1] == "priority 9",
        "none is as urgent as 0: they are in one list": ran[1] == "none"
        and place["none"] == place["priority 0"],
        "5 and 3 are in one list, and 5 runs before 3: it was sent before": ran[2:4]
        == ["priority 5", "priority 3"]
        and place["priority 5"] == place["priority 3"],
        "with task_default_priority = 6 none is as urgent as 6": ran[4:6]
        == ["priority 6", "none, the default is 6"],
    }
