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
    try:
        answer = httpx.post(
            PROVIDER,
            json={"order": order, "cents": PRICES[size]},
            headers={"Idempotency-Key": order},
            timeout=20,
        )
    except httpx.TransportError as error:
        raise self.retry(exc=error, countdown=0.2) from error
    if answer.status_code == 402:
        raise Declined(answer.json()["error"])
    if answer.status_code == 429:
        raise self.retry(countdown=int(answer.headers["Retry-After"]))
    if answer.status_code >= 500:
        raise self.retry(countdown=0.2)
    answer.raise_for_status()
    return answer.json()["receipt"]
