"""Given: a customer of the shop.

python world/customer.py order --times 3     orders three prints
python world/customer.py status              says how they stand
python world/customer.py watch               says so until all of them have ended
"""

import sys
import time
from collections import Counter
from pathlib import Path

import click
import httpx

SHOP = "http://127.0.0.1:8000"
LAST = Path("last-orders")  # a file with the ids of the orders that the shop took last
STATES = ("accepted", "charged", "printed", "confirmed", "failed")


@click.group()
def customer() -> None:
    """Order prints, and ask how they stand."""


@customer.command()
@click.option("--times", default=1, help="So many orders.")
@click.option("--copies", default=2)
@click.option("--photo", default="harbour.jpg")
@click.option("--card", default="tok_visa")
def order(times: int, copies: int, photo: str, card: str) -> None:
    """Order prints, and show what the shop answers."""
    body = {"photo": photo, "copies": copies, "card": card}
    answers = [speak("POST", "/orders", json=body) for _ in range(times)]
    for words, number in Counter(f"{a.status_code} {a.reason_phrase}" for a in answers).items():
        print(f"{number} x {words}")
    taken = [answer.json()["order"] for answer in answers if answer.status_code == 202]
    LAST.write_text("\n".join(taken))


@customer.command()
def status() -> None:
    """Look once how the last orders stand."""
    tell(look())


@customer.command()
@click.option("--until", default="confirmed", type=click.Choice(STATES), help="Or failed.")
def watch(until: str) -> None:
    """Look until the last orders have come so far. Ctrl-C stops it."""
    tell(now := look())
    while any(STATES.index(each["state"]) < STATES.index(until) for each in now):
        time.sleep(0.2)
        before, now = now, look()
        if now != before:
            tell(now)


def look() -> list[dict]:
    """What the shop says of each of the last orders."""
    return [speak("GET", f"/orders/{order_id}").json() for order_id in LAST.read_text().split()]


def tell(now: list[dict]) -> None:
    """One line about all of them, and one for each that has failed."""
    states = Counter(each["state"] for each in now)
    print(", ".join(f"{number} {state}" for state, number in states.items()))
    for each in now:
        if each["state"] == "failed":
            print(f"  {each['order']}: {each['reason']}")


def speak(method: str, path: str, **body) -> httpx.Response:
    """A request to the shop. One that was started this moment gets some seconds."""
    for _ in range(40):
        try:
            return httpx.request(method, SHOP + path, timeout=30, **body)
        except httpx.ConnectError:
            time.sleep(0.5)
    sys.exit(f"Nobody answers at {SHOP}. Start the shop in another terminal.")


if __name__ == "__main__":
    customer()
