"""Given: bulk work. Nobody waits for it, and it must not stand in the way of an order."""

import time
from collections import Counter

from printshop import orders
from printshop.celery import app
from printshop.store import write_once


@app.task
def make_statement() -> None:
    """Count the orders by state, and keep the counts."""
    counts = Counter(orders.state(order_id) for order_id in orders.all_ids())
    name = f"statement-{time.strftime('%Y-%m-%d-%H%M%S')}.json"
    write_once(orders.ORDERS / name, counts)
