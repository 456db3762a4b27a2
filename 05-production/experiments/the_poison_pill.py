"""# A photo kills every process that touches it. How often is it tried?

## Question

One photo is so large that the kernel kills the process that opens it. (Here the process kills
itself.) A task opens it: with Celery's defaults, with `acks_late`, with `reject_on_worker_lost` as
well, and with `retry_on_worker_lost` and `max_retries=2`. A fifth time it is an order in the print
shop. How often does Celery try again, and how does it end?

## Predict

- [ ] Never with the defaults, and for ever with `acks_late`: the message is not acknowledged.
- [x] Never with both. For ever with `reject_on_worker_lost`, twice with the fourth.
- [ ] Three times in each case but the first: that is Celery's `max_retries`.

## Why

The worker itself is well, only its pool process has died. So it does with `acks_late` what it does
after an exception: it acknowledges, and the task has failed. Nothing comes back.

`reject_on_worker_lost` puts the message back at once. That is right if the process died by
accident, and wrong if the task is to blame: it kills the next process, all night, and nobody
counts. `max_retries` is about retries, and this is none. `retry_on_worker_lost`, new in Celery
5.7, makes it one: it has a delay and an end. Then the task has failed, so `task_failure` is sent,
and the shop writes the order down: `python -m printshop.dead_letters list`.

A process can die before its worker has heard that the task began. Then the task is begun again, and
that is no retry. So it can have begun once more than the retries say.

## Fix

`task_retry_on_worker_lost = True`, and for each task `max_retries` and a short
`default_retry_delay` (Celery's own is three minutes). Keep what has failed, with the reason.
When a whole worker dies, nobody is left to retry: see `kill_the_worker`.
"""

import json
import sys

from celery import Celery

from lab.bench import WORKER_READY, wait_until

PHOTOS = """
import json
import os
import signal
from celery import Celery

app = Celery("photos", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

def open_photo():
    os.kill(os.getpid(), signal.SIGKILL)

for name, options in json.loads(os.environ["TASKS"]).items():
    app.task(open_photo, name=name, **options)
"""

LATE = {"acks_late": True}
TASKS = {
    "the defaults": {},
    "acks_late": LATE,
    "and reject_on_worker_lost": LATE | {"reject_on_worker_lost": True},
    "and retry_on_worker_lost": LATE
    | {"retry_on_worker_lost": True, "max_retries": 2, "default_retry_delay": 0},
}

POISON = {
    "printshop/tasks.py": (
        '''@app.task(max_retries=3, default_retry_delay=5)
def print_photos(order_id: str) -> None:
    """Print the photos of an order that is paid."""
    order = orders.facts(order_id, "accepted")
''',
        '''@app.task(max_retries=3, default_retry_delay=0)
def print_photos(order_id: str) -> None:
    """Print the photos of an order that is paid."""
    order = orders.facts(order_id, "accepted")
    if order["photo"] == "13.jpg":
        os.kill(os.getpid(), 9)
''',
    )
}


def run(bench):
    from experiments.shared.chaos import Shop

    folder, client = bench.copy(POISON), Celery(set_as_current=False)
    (folder / "photos.py").write_text(PHOTOS)
    env = {"TASKS": json.dumps(TASKS)}
    worker = bench.worker("photos", concurrency=len(TASKS), cwd=folder, env=env, wait=False)
    shop = Shop(bench, folder=folder, workers=1, reconciler=False)
    poison, _ = shop.order(13), shop.order(14)
    worker.wait_for(WORKER_READY, timeout=60)
    sent = {name: client.send_task(name) for name in TASKS}

    def count(task):
        runs = [run for run in bench.timeline().runs if run.task == task]
        retries = max((run.retries for run in runs), default=0)
        return {"began": len(runs), "retries": retries}

    ended = [result for name, result in sent.items() if "reject" not in name]
    wait_until(lambda: all(each.ready() for each in ended), "no end", timeout=60, log=worker.log)
    endless = "and reject_on_worker_lost"
    wait_until(lambda: count(endless)["began"] > 4, "no loop", timeout=60, log=worker.log)
    rows = [{"how": name} | count(name) | {"state": sent[name].state} for name in TASKS]

    log = shop.workers[0].log
    wait_until(lambda: shop.states()["failed"], "no dead letter", timeout=60, log=log)
    wait_until(lambda: shop.states()["confirmed"], "the other one waits", timeout=60, log=log)
    said = bench.run([sys.executable, "-m", "printshop.dead_letters", "list"], env=shop.env).log()
    kept = all(text in said for text in (poison, "print_photos", "WorkerLostError"))
    tried = count("printshop.tasks.print_photos")
    tried["began"] -= 1  # the other order
    rows.append({"how": "the print shop"} | tried | {"state": "failed", "kept": kept})
    return rows


def claims(rows):
    defaults, late, reject, retry, shop = rows
    return {
        "with the defaults it fails, and is not retried": defaults["retries"] == 0
        and defaults["state"] == "FAILURE",
        "with acks_late as well": late["retries"] == 0 and late["state"] == "FAILURE",
        "with reject_on_worker_lost it begins again and again": reject["began"] > 4
        and reject["state"] == "PENDING",
        "and nothing counts that": reject["retries"] == 0,
        "with retry_on_worker_lost it is retried twice, and fails": retry["retries"] == 2
        and retry["state"] == "FAILURE",
        "the print shop retries it three times, then it is a dead letter": shop["retries"] == 3
        and shop["kept"],
    }
