"""# The service is up again. Why do your retries still fail?

## Question

A print shop has four printers. A print takes three seconds, and who comes when all are busy is
sent away. The shop is down, and 24 tasks order over HTTP. All of them fail at the same moment.
Then it is up again. They retry twice, after 8 and after 16 seconds. How many get a print? And
how many with jitter?

## Predict

- [ ] All 24, both times. At the first retry the shop is up again.
- [x] Without jitter fewer than half. With jitter most of them.
- [ ] Without jitter most. With jitter fewer, because some retry too early.

## Why

Each try in the table is the largest crowd within three seconds, the time of a print. Tasks that
failed together come back together, and four are served each time. The shop was ill for a moment;
from then on the herd itself shuts the others out. With jitter each task draws its delay, from 0
to the full one, and the herd spreads, more with every try. (Celery draws whole seconds. Early
tries have few to choose from.)

## Fix

With `retry_backoff` jitter is on: leave it on. `self.retry(countdown=...)` has none: draw the
number. Or come with fewer: a queue for that service, and a worker with a small `--concurrency`.
"""

import http.server
import threading
import time

ORDERS = 24
PRINT = 3.0  # Seconds. A busy machine takes far less to bring a whole herd to the door.

ORDER = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


from urllib.request import urlopen


OPTIONS = {"bind": True, "autoretry_for": (OSError,), "max_retries": 2, "retry_backoff": 8}


@app.task(**OPTIONS, retry_jitter=False)
def order_without_jitter(self, port):
    urlopen(f"http://127.0.0.1:{port}/{self.request.retries}").close()


@app.task(**OPTIONS)
def order_with_jitter(self, port):
    urlopen(f"http://127.0.0.1:{port}/{self.request.retries}").close()
""",
    )
}


class Shop(http.server.ThreadingHTTPServer):
    request_queue_size = 100  # the door is wide: only the printers are few

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Order)
        self.down = threading.Barrier(ORDERS, timeout=90)
        self.printers = threading.Semaphore(4)
        self.came = []  # of each request: which retry it is (its path), and when
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def crowd(self, retry):
        """How many requests of one round came within the time of a print, at most."""
        times = [when for number, when in self.came if number == retry]
        return max((sum(0 <= when - first < PRINT for when in times) for first in times), default=0)


class Order(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        shop, retry = self.server, int(self.path[1:])
        if retry == 0:
            shop.down.wait()  # It is down: orders hang, and all fail when the last has come.
        shop.came.append((retry, time.monotonic()))
        if served := retry > 0 and shop.printers.acquire(blocking=False):
            time.sleep(PRINT)
            shop.printers.release()
        self.send_response(200 if served else 503)
        self.end_headers()

    def log_message(self, *words): ...


def run(bench):
    bench.use(bench.copy(ORDER))
    # Threads, so that all can order at once. No proxy: the shops are on this machine.
    bench.worker("tasks", pool="threads", concurrency=2 * ORDERS, env={"no_proxy": "*"})
    from tasks import add, order_with_jitter, order_without_jitter

    add.delay(0, 0).get(timeout=60)  # connections are made now: the orders leave together
    shops = [(Shop(), task) for task in (order_without_jitter, order_with_jitter)]
    asked = [(shop, [task.delay(shop.server_port) for _ in range(ORDERS)]) for shop, task in shops]
    rows = []
    for jitter, (shop, orders) in zip(("no", "yes"), asked, strict=True):
        for order in orders:
            order.get(timeout=120, propagate=False)
        shop.shutdown()
        row = {"jitter": jitter} | {f"try {n + 1}": shop.crowd(n) for n in range(3)}
        rows.append(row | {"printed": sum(order.successful() for order in orders), "of": ORDERS})
    return rows


def claims(rows):
    without, jitter = rows
    return {
        "without jitter fewer than half get their print": without["printed"] < ORDERS / 2,
        "with jitter more than half": jitter["printed"] > ORDERS / 2,
        "without jitter every retry is a herd": min(without["try 2"], without["try 3"])
        > ORDERS / 2,
        "with jitter the herd has spread by the last try": jitter["try 3"] < without["try 3"],
    }
