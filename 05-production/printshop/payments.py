"""The payment provider, seen from the shop. It can be slow, broken, or gone in the middle."""

import os
import re

import httpx

PROVIDER = os.environ.get("PRINTSHOP_PROVIDER", "http://127.0.0.1:8900")
# Seconds. Without them a provider that says nothing holds the process until its time limit.
TIMEOUT = httpx.Timeout(connect=2, read=5, write=5, pool=5)
# Seconds. A message that waits longer than the visibility timeout comes a second time.
LONGEST = 180


class Declined(Exception):
    """The provider says no, and will say no again."""


class TryLater(Exception):
    """No answer that counts. Whether the card is charged, nobody knows: ask again, same key."""

    def __init__(self, reason: str, wait: float = 0) -> None:
        super().__init__(reason, wait)
        self.reason, self.wait = reason, wait

    def __str__(self) -> str:
        return self.reason


def charge(order_id: str, cents: int, card: str) -> str:
    """Charge a card and return the number of the receipt.

    The key is the order's own number, in every attempt. So the provider knows that it is the
    same charge, and charges once. Raises `Declined` and `TryLater`.
    """
    try:
        answer = httpx.post(
            f"{PROVIDER}/charges",
            json={"cents": cents, "card": card},
            headers={"Idempotency-Key": order_id},
            timeout=TIMEOUT,
        )
    except httpx.TransportError as error:
        raise TryLater(f"no answer: {error!r}") from error
    if answer.status_code in (200, 201):
        return answer.json()["receipt"]
    if answer.status_code == 429:
        raise TryLater("too many requests", wait=seconds(answer.headers.get("Retry-After")))
    if answer.status_code >= 500:
        raise TryLater(f"{answer.status_code} {answer.reason_phrase}")
    raise Declined(answer.json()["error"])


def seconds(retry_after: str | None) -> float:
    """How long to wait. The header may be missing, or a date: then it is a second."""
    if retry_after and re.fullmatch("[0-9]+", retry_after):
        return min(float(retry_after), LONGEST)
    return 1
