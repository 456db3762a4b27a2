"""# Redis is full. What happens to the twenty orders in it?

## Question

The website keeps its cache in the Redis that is also the broker. Twenty orders have been sent, a
worker has four of them in hand, and then the cache fills the memory to the limit. What the server
does then is its `maxmemory-policy`: `noeviction`, `allkeys-lru` (Celery's documentation offers you
both) or `volatile-lru`. With which of them is each order printed, and once?

## Predict

- [ ] With all three. A server throws away a cache, never a queue.
- [ ] With `noeviction` only, since it throws nothing away.
- [x] With `volatile-lru` only.

## Why

For Redis a queue is a key like all others. `allkeys-lru` evicts what was not touched for longest,
and a queue that waits while all processes are busy is just that. It goes as a whole, with the
bindings. Nobody gets an error, and the next order is "sent".

`noeviction` refuses what needs memory. Who sends gets an error, and can act on it. But the worker
writes to Redis too, and an error there is its end. In Valkey it may take a message with `BRPOP`,
and may not write it into `unacked`: that order is lost, `acks_late` or not. In Redis 7.0 it may not
even acknowledge. What it has printed and not acknowledged is printed again, by the next worker.
And a worker that starts while Redis is full ends at once.

`volatile-lru` evicts only keys that have an expiry. The cache has one, the queue has none.

## Fix

A Redis of its own for the queue, with `noeviction` and an alarm long before it is full. If they
must share one: `volatile-lru`, and an expiry on all of the cache. What is lost, the reconciler of
the print shop sends again. What comes twice, its steps bear.
"""

import re

from celery import Celery
from kombu.exceptions import OperationalError

from lab.bench import wait_until

MESSAGES = [
    "kombu.exceptions.OperationalError: ...command not allowed when used memory > 'maxmemory'.",
    "redis.exceptions.OutOfMemoryError: Command # 1 (... unacked_index ...) of pipeline caused "
    "error: command not allowed when used memory > 'maxmemory'.",
]

ORDERS = """
import os
import time
from celery import Celery

app = Celery("orders", broker="redis://localhost:6379/0")
app.conf.broker_transport_options = {"visibility_timeout": 2}  # for a worker that starts

@app.task(name="print_order", acks_late=True, ignore_result=True)
def print_order(number):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.05)
    print(f"order {number}.")
"""

POLICIES = ("noeviction", "allkeys-lru", "volatile-lru")


def run(bench):
    folder = bench.copy({})
    (folder / "orders.py").write_text(ORDERS)
    return [{"policy": policy} | fill(bench, folder, policy) for policy in POLICIES]


def fill(bench, folder, policy):
    redis, client, go = bench.broker.client, Celery(set_as_current=False), folder / policy
    redis.flushall()
    workers = [bench.worker("orders", cwd=folder, env={"GO": str(go)})]

    def send(number):
        client.send_task("print_order", [number], ignore_result=True, retry=False)

    def quiet():
        return not redis.llen("celery") and not redis.hlen("unacked")

    def log():
        return "".join(worker.log() for worker in workers)

    for number in range(20):
        send(number)
    wait_until(lambda: redis.hlen("unacked") == 4, "the worker did not take four", log=log)
    # Redis counts in seconds what was touched when.
    wait_until(lambda: redis.object("idletime", "celery") >= 2, "the queue was touched")
    redis.config_set("maxmemory-policy", policy)
    limit = redis.info("memory")["used_memory"] + 1_000_000
    redis.config_set("maxmemory", limit)
    for page in range(50):
        with redis.pipeline(transaction=False) as cache:
            for number in range(100):
                cache.set(f"cache:{page}:{number}", "x" * 1000, ex=3600)
            cache.execute(raise_on_error=False)
    redis.config_set("maxmemory", limit - 500_000)  # full, whatever a buffer takes or gives back
    row = {"sending": "works", "message": "", "in the queue": redis.llen("celery")}
    try:
        send(20)
    except OperationalError as error:
        row |= {"sending": "fails", "message": f"kombu.exceptions.OperationalError: {error}"}
    go.touch()
    wait_until(lambda: quiet() or not workers[0].running, "no end", timeout=60, log=log)
    alive = workers[0].running
    row["the worker"] = "lives" if alive else "dies"
    redis.config_set("maxmemory", 0)
    if not alive:
        workers.append(bench.worker("orders", cwd=folder, env={"GO": str(go)}))
        wait_until(quiet, "the new worker came to no end", timeout=60, log=log)
    send(21)
    wait_until(lambda: "order 21." in log(), "the last order was not printed", log=log)
    workers[-1].kill()
    times = [log().count(f"order {number}.") for number in range(20)]
    row |= {"printed once": times.count(1), "twice": times.count(2), "lost": times.count(0)}
    row["message"] += "".join(re.findall("\nredis.exceptions.OutOf.*", log())[:1])
    return row


def claims(rows):
    refuse, evict, volatile = rows
    return {
        "noeviction keeps the queue, and refuses what is sent": refuse["in the queue"] == 16
        and refuse["sending"] == "fails",
        "but the worker dies": refuse["the worker"] == "dies",
        "and an order is lost, or printed twice": refuse["lost"] + refuse["twice"] > 0,
        "allkeys-lru throws the queue away": evict["in the queue"] == 0,
        "and nobody is told: sending works, the worker lives": evict["sending"] == "works"
        and evict["the worker"] == "lives",
        "only the four that the worker had are printed": evict["lost"] == 16,
        "with volatile-lru each is printed once": volatile["printed once"] == 20,
    }
