"""Bulk work: nobody waits for it, and it must not stand in the way of an order."""

import time
from collections import Counter

from printshop import orders
from printshop.celery import app
from printshop.store import write_once


@app.task
def make_statement() -> None:
    """Count the orders by state, and keep the counts."""
    folders = [folder.name for folder in orders.ORDERS.iterdir() if folder.is_dir()]
    counts = Counter(orders.state(name) for name in folders if orders.facts(name, "accepted"))
    name = f"statement-{time.strftime('%Y-%m-%d-%H%M%S')}.json"
    write_once(orders.ORDERS / name, counts)
