"""# A worker was killed. When does its task come back?

## Question

Two workers wait, one of them takes a task, `acks_late`, and gets a SIGKILL. The other one has
nothing else to do. We try it three times: with Celery's defaults, with a `visibility_timeout` of
two seconds, and with that and two more options of Kombu, set to 1. When the third task has come
back, we look for the other two. Then their workers are restarted.

## Predict

- [ ] All three are back: Redis sees that the connection of a worker is gone.
- [x] Only the third is back. After the restart the second one is back as well.
- [ ] The two with the short timeout are back. The default waits for its hour, or for a restart.

## Why

Redis knows no workers, so it misses none. A message lies in `unacked`, with the time at which it
was taken, until *another worker* looks there for what was taken too long ago. What is too long,
says `visibility_timeout`: an hour by default. When a worker looks, is another matter. It looks when
it starts, and then at each tenth tick of a clock that ticks every ten seconds. That makes 100
seconds, with any timeout. The two tens are `unacked_restore_interval` and
`unacked_restore_throttle`, new in Kombu 5.7.

A restart looks at once. So a task seems to come back "because I have restarted the worker". With
an hour to wait, a restart does not help either.

## Fix

Choose a `visibility_timeout` that you can wait for, and add 100 seconds, or set the two options:
each look is a handful of commands for Redis. But stay above your longest task:
see `the_healthy_long_task`.
"""

import json

from celery import Celery
from kombu import Connection
from redis import Redis

from lab.bench import wait_until

ORDERS = """
import json
import os
import time
from celery import Celery

app = Celery("orders", broker="redis://localhost:6379/0")
app.conf.broker_transport_options = {
    # Who looks holds a lock, for 300 seconds if it is killed just then. Here that is too long.
    "unacked_mutex_expire": 1,
    **json.loads(os.environ["OPTIONS"]),
}

@app.task(bind=True, name="print_order", acks_late=True, ignore_result=True)
def print_order(self):
    print("begun")
    if not self.request.delivery_info["redelivered"]:
        time.sleep(60)  # longer than its worker lives
"""

SHORT = {"visibility_timeout": 2}
LOOK = {"unacked_restore_interval": 1, "unacked_restore_throttle": 1}
CASES = {"the defaults": {}, "a short timeout": SHORT, "and the two options": SHORT | LOOK}


def run(bench):
    folder = bench.copy({})
    (folder / "orders.py").write_text(ORDERS)
    # Any worker brings back what lies in its database. So each case gets one of its own.
    urls = {case: bench.broker.url[:-1] + str(n) for n, case in enumerate(CASES, 1)}

    def hire(case):
        env = {"CELERY_BROKER_URL": urls[case], "OPTIONS": json.dumps(CASES[case])}
        return bench.worker("orders", cwd=folder, env=env, wait=False)

    def row(case):
        held = Redis.from_url(urls[case]).hlen("unacked")
        return {"how": case, "when the third is back": back(workers[case]), "in unacked": held}

    workers = {case: [hire(case), hire(case)] for case in CASES}
    client = Celery(set_as_current=False)
    bench.all_ready()
    for case, pair in workers.items():
        with Connection(urls[case]) as connection:
            client.send_task("print_order", connection=connection)
        taker = wait_until(lambda pair=pair: begun(pair), "nobody took the task")
        taker.kill()
        pair.remove(taker)
    *others, last = CASES
    workers[last][0].wait_for("begun")
    rows = [row(case) for case in CASES]
    for case in others:
        workers[case][0].kill()
        workers[case] = [hire(case)]
    wait_until(lambda: begun(workers[others[1]]), "it did not come back", timeout=60)
    for case, row in zip(CASES, rows, strict=True):
        row["after a restart"] = back(workers[case])
    return rows


def begun(workers):
    return next((worker for worker in workers if "begun" in worker.log()), None)


def back(workers):
    return "back" if begun(workers) else "not back"


def claims(rows):
    then = [row["when the third is back"] for row in rows]
    later = [row["after a restart"] for row in rows]
    return {
        "with the two options the task comes back": then[2] == "back",
        "with the short timeout alone it does not": then[1] == "not back",
        "nor with the defaults": then[0] == "not back",
        "both lie in unacked, and nobody looks there": [row["in unacked"] for row in rows[:2]]
        == [1, 1],
        "a worker that starts looks: the second is back": later[1] == "back",
        "the default still waits for its hour": later[0] == "not back",
    }
