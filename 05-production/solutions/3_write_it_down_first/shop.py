"""An order is a file, and then a message:  celery -A shop worker"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import printer
from celery import Celery
from kombu.exceptions import OperationalError

app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True

ORDERS = Path(os.environ.get("ORDERS", "orders"))


@app.task
def print_order(key):
    """Print the order <key>.json. When it is done, there is a file <key>.printed. Complete."""
    done = ORDERS / f"{key}.printed"
    if not done.exists():
        printer.print_photo(json.loads((ORDERS / f"{key}.json").read_text())["photo"])
        done.touch()


def place(key, order):
    """Take an order. Returns the order that is kept under this key: the first one."""
    path = ORDERS / f"{key}.json"
    with NamedTemporaryFile("w", dir=ORDERS) as file:
        json.dump(order, file)
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return json.loads(path.read_text())
    with suppress(OperationalError):  # send_again will find it
        print_order.apply_async([key], retry=False)
    return order


def send_again(seconds):
    """Send the orders to which nothing has happened for so many seconds. Returns their keys."""
    sent = []
    for path in sorted(ORDERS.glob("*.json")):
        standing = time.time() - path.stat().st_mtime >= seconds
        if standing and not path.with_suffix(".printed").exists():
            os.utime(path)  # the new message has as much time as the first one
            print_order.delay(path.stem)
            sent.append(path.stem)
    return sent
