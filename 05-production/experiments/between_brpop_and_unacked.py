"""# A worker dies at the moment a message reaches it. Where is the message?

## Question

A worker is busy with an order and has reserved a second one. A third is sent, its message leaves
the queue, and before the worker has looked at it, the worker gets a SIGKILL. A new one starts. We
try it with Celery's defaults, with `acks_late`, and in the print shop. What becomes of the third?

## Predict

- [ ] It comes back in all three: nobody has acknowledged its message.
- [ ] With the defaults it is lost. `acks_late` brings it back, and so does the print shop.
- [x] Both lose it. In the print shop the message is lost as well, and the order is printed.

## Why

Redis has no acknowledgements, so Kombu plays them. A worker takes a message with `BRPOP`: that
removes it from the queue. With a second command it writes the message down in `unacked`. Between
the two, the message is in the worker's memory and nowhere else. `acks_late` says when a message
*leaves* `unacked`. This one never was there. The reserved one was, so it comes back.
We stop the worker with SIGSTOP, so that the moment lasts. Without that it is short, and it comes
with every message. Who kills workers all day loses one now and then.

## Fix

No setting of Celery helps. Write down what is to be done *before* you send it, and let somebody
look there for what stands still: `orders.accept` and `printshop.reconcile`. Then a message may be
lost. It may also be sent twice, so every step must bear that.
"""

import signal
import sys

from celery import Celery

from lab.bench import wait_until

ORDERS = """
import os
import time
from celery import Celery

app = Celery("orders", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.task_acks_late = os.environ["HOW"] == "acks_late"
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ["TIMEOUT"]),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 1,
}

@app.task(bind=True, name="print_order")
def print_order(self, number):
    print(f"order {number}")
    if number == 1 and not self.request.delivery_info["redelivered"]:
        time.sleep(60)  # longer than its worker lives
"""

HOW = ("the defaults", "acks_late")
NOTHING = {"in the queue": 0, "in unacked": "nothing"}


def run(bench):
    from experiments.shared.chaos import Shop

    folder, client, redis = bench.copy({}), Celery(set_as_current=False), bench.broker.client
    (folder / "orders.py").write_text(ORDERS)

    def hire(how, timeout):
        env = {"HOW": how, "TIMEOUT": str(timeout)}
        return bench.worker("orders", queues=how, cwd=folder, env=env, wait=False)

    workers = {how: hire(how, timeout=3600) for how in HOW}
    shop = Shop(bench, workers=1, reconciler=False)
    rows = []
    for how, worker in workers.items():

        def send(number=3, how=how):
            return client.send_task("print_order", [number], queue=how).id

        first = send(1)
        # The worker knows that it has begun: with the defaults it has acknowledged it by then.
        wait_until(lambda w=worker, id=first: id in w.active(), "order 1", log=worker.log)
        worker.wait_for(f"[{send(2)}] received")
        kill_between(redis, worker, how, send)
        rows.append({"how": how} | in_redis(bench, how))
    order = kill_between(redis, shop.workers[0], "urgent", lambda: shop.order(3))
    rows.append({"how": "the print shop"} | in_redis(bench, "urgent"))
    workers = {how: hire(how, timeout=3) for how in HOW}
    new = shop.hire()
    bench.run([sys.executable, "-m", "printshop.reconcile", "--older-than", "0"], env=shop.env)
    spool = shop.home / "spool" / f"{order}.json"
    wait_until(spool.exists, "the order was not printed", timeout=60, log=new.log)
    rows[2] |= {"order 2": "", "order 3": "printed"}
    for row, new in zip(rows, workers.values(), strict=False):
        new.wait_for("order 2", timeout=60)
        wait_until(lambda row=row: in_redis(bench, row["how"]) == NOTHING, "no end", log=new.log)
        printed = "printed" if "order 3" in new.log() else "never printed"
        row |= {"order 2": "comes back", "order 3": printed}
    return rows


def kill_between(redis, worker, queue, send):
    """Send, and kill the worker when the message has left the queue and nobody has looked at it."""

    def left_the_queue():
        worker.send(signal.SIGSTOP)
        sent = send()
        if redis.llen(queue) == 0:
            return sent
        redis.delete(queue)  # at this moment the worker did not wait for one: once more
        worker.send(signal.SIGCONT)

    sent = wait_until(left_the_queue, "the worker took no message", log=worker.log)
    worker.kill()
    return sent


def in_redis(bench, queue):
    """What Redis knows of this queue's messages."""
    now = bench.xray()
    held = sorted(f"order {each.body[0][0]}" for each in now.unacked if each.queue == queue)
    return {"in the queue": now.lengths.get(queue, 0), "in unacked": ", ".join(held) or "nothing"}


def claims(rows):
    defaults, late, shop = rows
    in_unacked = [row["in unacked"] for row in rows]
    return {
        "the message has left the queue": [row["in the queue"] for row in rows] == [0, 0, 0],
        "it is not in unacked": in_unacked == ["order 2", "order 1, order 2", "nothing"],
        "the reserved one is, and comes back": defaults["order 2"] == late["order 2"] != "",
        "order 3 is lost in both": defaults["order 3"] == late["order 3"] == "never printed",
        "the print shop's order is printed": shop["order 3"] == "printed",
    }
