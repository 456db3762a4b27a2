"""# Redis is killed with a hundred orders in its queue. What is left of them?

## Question

A hundred customers order, and no worker runs. Redis gets a SIGKILL and starts again: once with
nothing but its memory, once with `appendonly yes` and `appendfsync always`. Then the reconciler of
the print shop sends what stands still. It has no patience at all today. How many messages are in
the queue then, and how many cards are charged when a worker has come to its end?

## Predict

- [ ] With the memory only: none, and no card. With the file: 100, and 100 cards.
- [x] With the memory only: 100, and 100 cards. With the file: 200, and 100 cards.
- [ ] With the memory only: 100, and 100 cards. With the file: 200, and 200 cards.

## Why

Without a file, a queue is as durable as a process. Redis as it comes writes snapshots now and
then: that saves what is old, and loses what waits. With the append-only file each message is in
the file before the sender hears "taken", and with `appendfsync always` it is on the disk.
(`everysec`, the default, survives SIGKILL as well: the system still has what the process has
written. When the power fails, the last second is gone.)

The orders never were in Redis only. The reconciler finds them in their folders and sends them
again. It cannot know whether a message is still in the queue, so it sends some a second time. The
worker charges with the order's number as the key, and the second message finds the work done.

## Fix

`appendonly yes` in the *configuration* of the server: see `01/a_broker_that_dies` for the way that
does not work. And a record outside of the queue: a file keeps Redis from forgetting, it does not
keep a worker from losing. Give the reconciler more patience than your queue is long.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from lab import Bench
from lab.bench import wait_until, whole_lines

ORDERS = 100


def run(bench):
    from experiments.shared.chaos import KEPT

    memory = {"Redis has": "memory"} | a_hundred_orders(bench)
    with Bench(bench.chapter, broker_options=KEPT) as kept:
        return [memory, {"Redis has": "a file"} | a_hundred_orders(kept)]


def a_hundred_orders(bench):
    from experiments.shared.chaos import Shop

    shop = Shop(bench, workers=0, reconciler=False)

    def waiting():
        return bench.xray().lengths.get("urgent", 0)

    with ThreadPoolExecutor(4) as customers:
        accepted = [order for order in customers.map(shop.order, range(ORDERS)) if order]
    row = {"sent": waiting()}
    bench.broker.kill()
    bench.broker.start()
    row |= {"left": waiting(), "on the disk": shop.states()["accepted"]}
    bench.run(
        [sys.executable, "-m", "printshop.reconcile", "--older-than", "0"],
        env=shop.env,
        timeout=200,
    )
    row["reconciled"] = waiting()
    worker = bench.worker("printshop", concurrency=2, queues="urgent", env=shop.env)

    def ended():
        charged = len(whole_lines(shop.ledger))
        return charged >= ORDERS and not waiting() and not bench.xray().unacked

    wait_until(ended, "the worker came to no end", timeout=240, log=worker.log)
    account = shop.account(accepted)
    return row | {"charged": account["charged"], "twice": account["charged twice"]}


def claims(rows):
    memory, file = rows
    on_disk = [row["on the disk"] for row in rows]
    return {
        "a hundred orders wait": memory["sent"] == file["sent"] == ORDERS,
        "with the memory only none is left in the queue": memory["left"] == 0,
        "with the file all are": file["left"] == ORDERS,
        "on the disk they are in both cases": on_disk == [ORDERS, ORDERS],
        "the reconciler sends them all": memory["reconciled"] == ORDERS,
        "also those that are in the queue": file["reconciled"] == 2 * ORDERS,
        "each card is charged, and once": [(row["charged"], row["twice"]) for row in rows]
        == [(ORDERS, 0)] * 2,
    }
