"""# The service is up again. Why do your retries still fail?

## Question

A print shop has three printers. A print takes half a second, and who comes when all are busy
is sent away. For 1.5 seconds the shop is down, and just then twenty tasks order over HTTP. They
retry three times, after 2, 4 and 8 seconds. How many get a print? And how many with jitter?

## Predict

- [ ] All twenty, both times. At the first retry the shop is up again.
- [x] Without jitter fewer than half. With jitter most of them.
- [ ] Without jitter most. With jitter fewer, because some retry too early.

## Why

Look at the largest crowd within half a second. Tasks that failed together come back together,
and three are served each time. The shop was ill for a moment; from then on the herd itself shuts
the others out. With jitter each task draws its delay, from 0 to the full one, and the herd
spreads, more with every try. (Celery draws whole seconds. Early tries have few to choose from.)

## Fix

With `retry_backoff` jitter is on: leave it on. `self.retry(countdown=...)` has none: draw the
number. Or come with fewer: a queue for that service, and a worker with a small `--concurrency`.
"""

import http.server
import threading
import time

ORDER = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


from urllib.request import urlopen


@app.task(bind=True, autoretry_for=(OSError,), retry_backoff=2, retry_jitter=False)
def order_without_jitter(self, port):
    urlopen(f"http://127.0.0.1:{port}/{self.request.retries}").close()


@app.task(bind=True, autoretry_for=(OSError,), retry_backoff=2)
def order_with_jitter(self, port):
    urlopen(f"http://127.0.0.1:{port}/{self.request.retries}").close()
""",
    )
}


class Shop(http.server.ThreadingHTTPServer):
    request_queue_size = 100  # the door is wide: only the printers are few

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Order)
        self.printers = threading.Semaphore(3)
        self.came = []  # of each request: which retry it is (its path), and when
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def crowd(self, retry):
        """How many requests of one round came within half a second, at most."""
        times = [when for number, when in self.came if number == retry]
        return max((sum(0 <= when - first < 0.5 for when in times) for first in times), default=0)


class Order(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        shop, now = self.server, time.monotonic()
        shop.came.append((int(self.path[1:]), now))
        if served := now - shop.came[0][1] > 1.5 and shop.printers.acquire(blocking=False):
            time.sleep(0.5)
            shop.printers.release()
        self.send_response(200 if served else 503)
        self.end_headers()

    def log_message(self, *words): ...


def run(bench):
    bench.use(bench.copy(ORDER))
    # Threads, so that all can order at once. No proxy: the shops are on this machine.
    bench.worker("tasks", pool="threads", concurrency=40, env={"no_proxy": "*"})
    from tasks import add, order_with_jitter, order_without_jitter

    add.delay(0, 0).get(timeout=10)  # connections are made now: the orders leave together
    shops = [(Shop(), task) for task in (order_without_jitter, order_with_jitter)]
    asked = [(shop, [task.delay(shop.server_port) for _ in range(20)]) for shop, task in shops]
    rows = []
    for jitter, (shop, orders) in zip(("no", "yes"), asked, strict=True):
        for order in orders:
            order.get(timeout=60, propagate=False)
        shop.shutdown()
        row = {"jitter": jitter} | {f"try {n + 1}": shop.crowd(n) for n in range(4)}
        rows.append(row | {"printed": sum(order.successful() for order in orders), "of": 20})
    return rows


def claims(rows):
    without, jitter = rows
    return {
        "without jitter fewer than half get their print": without["printed"] < 10,
        "with jitter more than half": jitter["printed"] > 10,
        "without jitter every retry is a herd": min(without[f"try {n}"] for n in (2, 3, 4)) > 10,
        "with jitter the last one is not": jitter["try 4"] < 10,
    }
