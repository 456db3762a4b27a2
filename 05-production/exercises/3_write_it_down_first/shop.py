"""An order is a file, and then a message:  celery -A shop worker"""

import json
import os
from pathlib import Path

# TODO: import what you need.
import printer
from celery import Celery

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
    # TODO: what comes first? What if the disk is full, the broker down, the key taken?
    print_order.delay(key)
    path.write_text(json.dumps(order))
    return order


def send_again(seconds):
    """Send the orders to which nothing has happened for so many seconds. Returns their keys."""
    sent = []
    # TODO: look at the files.
    return sent
