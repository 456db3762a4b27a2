"""The studio's tasks."""

import time
from urllib.error import HTTPError
from urllib.request import urlopen

from pydantic import BaseModel

from studio.celery import app


class Order(BaseModel):
    """What a customer wants."""

    photo: str
    copies: int = 1


@app.task(pydantic=True)
def price(order: Order) -> int:
    """The price of an order, in cents."""
    return 50 * order.copies


@app.task
def add_up(prices: list[int]) -> int:
    """The sum of some prices, in cents."""
    return sum(prices)


@app.task
def add_postage(cents: int, postage: int = 390) -> int:
    """What the customer pays, in cents."""
    return cents + postage


# A server that does not answer raises an OSError. It may answer soon.
@app.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=8)
def download(url: str) -> int:
    """Download a photo. Return how many bytes it has."""
    try:
        with urlopen(url, timeout=5) as answer:
            return len(answer.read())
    except HTTPError as error:
        # It has answered: no. To ask again would not help.
        raise ValueError(f"{url}: {error}") from None


@app.task
def develop(photo: str, seconds: float) -> str:
    """Develop a photo. Chemistry takes its time."""
    time.sleep(seconds)
    return f"developed {photo}"


# Nobody waits for a line in a book: no result is kept.
@app.task(ignore_result=True)
def note(line: str) -> None:
    """Write a line in the studio's book."""
    with open("book.txt", "a") as book:
        book.write(f"{line}\n")
