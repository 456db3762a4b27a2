"""The orders: a folder for each, and in it a file for each thing that has happened.

This is the truth. A queue forgets, and so does a worker: what has to be done next is what is not
written here.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from printshop.store import sync, write_once

ORDERS = Path(os.environ.get("PRINTSHOP_ORDERS", "orders"))
STEPS = ("accepted", "charged", "printed", "confirmed")
ENDS = ("confirmed", "failed")


def folder_of(order_id: str) -> Path:
    """Where an order is kept. Raises `KeyError` for what is no id: ids come from outside."""
    if not re.fullmatch(r"[0-9a-f]{32}", order_id):
        raise KeyError(order_id)
    return ORDERS / order_id


def accept(order_id: str, order: dict) -> bool:
    """Keep a new order. When this returns it is on the disk. False: it was there already."""
    folder = folder_of(order_id)
    folder.mkdir(parents=True, exist_ok=True)
    sync(ORDERS)
    return write_once(folder / "accepted.json", order)


def record(order_id: str, what: str, **facts: object) -> bool:
    """Keep that something has happened. False: it was known already."""
    return write_once(folder_of(order_id) / f"{what}.json", {"at": time.time(), **facts})


def facts(order_id: str, what: str) -> dict | None:
    """What is known of a step. `None`: it has not happened."""
    try:
        return json.loads((folder_of(order_id) / f"{what}.json").read_text())
    except FileNotFoundError:
        return None


def state(order_id: str) -> str:
    """The last thing that has happened. Raises `KeyError` if there is no such order."""
    for what in ("failed", *reversed(STEPS)):
        if facts(order_id, what) is not None:
            return what
    raise KeyError(order_id)


def unfinished(older_than: float) -> Iterator[str]:
    """The orders to which nothing has happened for so many seconds, and that have not ended."""
    for folder in ORDERS.iterdir() if ORDERS.exists() else ():
        times = {file.stem: file.stat().st_mtime for file in folder.glob("[!.]*.json")}
        ended = any(end in times for end in ENDS)
        if "accepted" in times and not ended and time.time() - max(times.values()) >= older_than:
            yield folder.name
