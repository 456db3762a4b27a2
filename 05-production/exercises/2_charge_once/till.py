"""The till of the print shop charges cards:  celery -A till worker"""

import os

import httpx
from celery import Celery

app = Celery("till", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

PROVIDER = os.environ.get("PROVIDER", "http://127.0.0.1:8900/charges")
PRICES = {"small": 45, "large": 290}  # cents


class Declined(Exception):
    """The provider says no, and will say no again."""


@app.task(bind=True, max_retries=4)
def charge(self, order, size):
    """Charge an order, and return the number of the receipt. Its message may come twice."""
    # TODO: which key says that it is the same charge, whoever asks and how often?
    try:
        answer = httpx.post(
            PROVIDER,
            json={"order": order, "cents": PRICES[size]},
            headers={"Idempotency-Key": f"{order}-{self.request.retries}"},
            timeout=20,
        )
        answer.raise_for_status()
    # TODO: which errors can get better, and when?
    except Exception as error:
        raise self.retry(exc=error, countdown=0.2) from error
    return answer.json()["receipt"]
