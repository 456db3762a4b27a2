"""# Redis is down, and a customer orders. What does the shop answer, and what becomes of the order?

## Question

Three shops, and Redis is down. The first calls `.delay()` and answers 202, as in the tutorials. The
second sends with `ignore_result=True`, and answers 503 if that fails. The third is the print shop.
A customer with five seconds of patience orders in each. Then Redis comes back, workers start, and
the reconciler of the print shop looks once. What does the customer hear, and what is printed?

## Predict

- [ ] 202, 503, 202. `.delay()` returns at once, so the first order and the third are printed.
- [ ] Nothing, 503, 503. Without a broker nobody can take an order, and none is printed.
- [x] Nothing, 503, 202. The first order and the third are printed.

## Why

With a result backend, `.delay()` tries to reach Redis for 19 seconds. The customer has left long
ago, and orders elsewhere. Then Redis comes back, the request goes on, and the order is printed: no
answer does not mean that nothing happens. After 19 seconds it would have been gone.

Without a result it fails within a second. A 503 is honest, and the customer has to come again.

The print shop writes the order down first. Its 202 is true: the order is on the disk. To send the
message is an attempt that may fail. The reconciler finds an order that stands still, and sends it.

## Fix

Keep the order, say 202, try to send. `retry=False` and the transport options in
`printshop/settings.py` keep the attempt short, also when Redis takes the connection and says
nothing. What each of the ordinary ways waits: `03/the_request_that_hangs`.
"""

import sys

import httpx

from lab.bench import free_port, wait_until

SHOP = """
from celery import Celery
from flask import Flask, request
from kombu.exceptions import OperationalError

site = Flask("shop")
app = Celery("shop", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

@app.task
def print_order(photo):
    print(f"printed {photo}")

@site.post("/delay/orders")
def delay():
    print_order.delay(request.json["photo"])
    return "taken", 202

@site.post("/ignore/orders")
def ignore():
    try:
        print_order.apply_async([request.json["photo"]], ignore_result=True)
    except OperationalError:
        return "not now", 503
    return "taken", 202
"""

PATIENCE = 5  # seconds


def run(bench):
    from experiments.shared.chaos import Shop

    folder = bench.copy({})
    (folder / "shop.py").write_text(SHOP)
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", "shop:site", "--bind", address]
    site = bench.process("site", [*argv, "--no-control-socket"], cwd=folder)
    shop = Shop(bench, workers=0, reconciler=False)
    site.wait_for("Booting worker", timeout=60)
    urls = {name: f"http://{address}/{name}/orders" for name in ("ignore", "delay")}
    urls = {"print shop": str(shop.web.base_url.join("/orders"))} | urls
    for url in urls.values():
        httpx.get(url, timeout=60)  # when it answers, it has imported what it needs

    def order(name, photo, patience):
        body = {"photo": photo, "copies": 1, "card": "tok_visa"}
        try:
            return httpx.post(urls[name], json=body, timeout=patience).status_code
        except httpx.ReadTimeout:
            return "nothing"

    bench.broker.kill()
    limits = {"delay": PATIENCE}  # the others answer, sooner or later
    heard = {name: order(name, f"{name}.jpg", limits.get(name, 60)) for name in urls}
    kept = shop.states()["accepted"]
    bench.broker.start()

    worker, printer = bench.worker("shop", cwd=folder, wait=False), shop.hire()
    bench.run([sys.executable, "-m", "printshop.reconcile", "--older-than", "0"], env=shop.env)
    spool = shop.home / "spool"
    wait_until(lambda: list(spool.glob("*.json")), "nothing", timeout=60, log=printer.log)
    worker.wait_for("printed delay.jpg", timeout=60)
    order("ignore", "last.jpg", patience=60)
    worker.wait_for("printed last.jpg", timeout=60)  # so all before it are printed as well
    printed = "yes" if "printed ignore.jpg" in worker.log() else "no"
    return [
        {"how": ".delay()", "heard": heard["delay"], "kept": 0, "printed": "yes"},
        {"how": "ignore_result=True", "heard": heard["ignore"], "kept": 0, "printed": printed},
        {"how": "print shop", "heard": heard["print shop"], "kept": kept, "printed": "yes"},
    ]


def claims(rows):
    delay, ignore, shop = rows
    return {
        "with .delay() the customer hears nothing": delay["heard"] == "nothing",
        "and the order is printed all the same": delay["printed"] == "yes",
        "with ignore_result=True it is a 503": ignore["heard"] == 503,
        "and nothing is printed": ignore["printed"] == "no",
        "the print shop says 202": shop["heard"] == 202,
        "because it has kept the order": shop["kept"] == 1,
        "and prints it when Redis is back": shop["printed"] == "yes",
    }
