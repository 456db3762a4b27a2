"""The steps of an order. Each can run twice, and at the same time: what it does happens once."""

import logging
import os
import time
from pathlib import Path

from celery import Task
from celery.utils.time import get_exponential_backoff_interval
from kombu.exceptions import OperationalError

from printshop import orders, payments
from printshop.celery import app
from printshop.store import write_once

# Python's, not Celery's: the web server sends tasks as well, and must show the warning.
logger = logging.getLogger(__name__)

# What the printing machine prints: a job is a file, and it takes each name once.
SPOOL = Path(os.environ.get("PRINTSHOP_SPOOL", "spool"))
SECONDS_PER_COPY = float(os.environ.get("PRINTSHOP_SECONDS_PER_COPY", "0.01"))
PRICE = 45  # cents for each copy


@app.task(bind=True, max_retries=10, default_retry_delay=5)
def charge(self: Task, order_id: str) -> None:
    """Charge the customer's card. An order that has failed is left alone: it may come late."""
    order = orders.facts(order_id, "accepted")
    if orders.state(order_id) == "accepted":
        try:
            receipt = payments.charge(order_id, order["copies"] * PRICE, order["card"])
            orders.record(order_id, "charged", receipt=receipt)
        except payments.TryLater as error:
            # 1, 2, 4 ... 60 seconds at most, and by chance less: or all come back together.
            wait = get_exponential_backoff_interval(1, self.request.retries, 60, full_jitter=True)
            wait += error.wait  # and never sooner than the provider asks for
            orders.put_off(order_id, wait)  # it waits, and does not stand still
            raise self.retry(exc=error, countdown=wait) from error
        except payments.Declined as error:
            orders.record(order_id, "failed", step=self.name, reason=str(error))
    proceed(order_id)


@app.task(max_retries=3, default_retry_delay=5)
def print_photos(order_id: str) -> None:
    """Print the photos of an order that is paid."""
    order = orders.facts(order_id, "accepted")
    if orders.state(order_id) == "charged":
        time.sleep(order["copies"] * SECONDS_PER_COPY)  # a picture takes its time
        SPOOL.mkdir(exist_ok=True)
        write_once(SPOOL / f"{order_id}.json", {"photo": order["photo"], "copies": order["copies"]})
        orders.record(order_id, "printed")
    proceed(order_id)


@app.task(max_retries=3, default_retry_delay=5)
def confirm(order_id: str) -> None:
    """Tell the customer. How mail is sent once, chapter 03 shows."""
    if orders.state(order_id) == "printed":
        receipt = orders.facts(order_id, "charged")["receipt"]
        text = f"Your photos are on their way. Receipt {receipt}."
        orders.record(order_id, "confirmed", text=text)


NEXT = {"accepted": charge, "charged": print_photos, "printed": confirm}


def proceed(order_id: str) -> None:
    """Send the task of the next step. An order that has ended has none."""
    if step := NEXT.get(orders.state(order_id)):
        try:
            step.apply_async([order_id], retry=False)
        except OperationalError as error:
            # Nothing is lost: the order is on the disk. `printshop.reconcile` will find it.
            logger.warning("No broker (%s). Order %s waits.", error, order_id)
