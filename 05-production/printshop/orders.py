"""Given: the orders. A folder for each, and in it a file for each thing that has happened.

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
ID = re.compile(r"[0-9a-f]{32}")


def folder_of(order_id: str) -> Path:
    """Where an order is kept. Raises `KeyError` for what is no id: ids come from outside."""
    if not ID.fullmatch(order_id):
        raise KeyError(order_id)
    return ORDERS / order_id


def all_ids() -> Iterator[str]:
    """The orders there are. What else lies in the folder is none."""
    for folder in sorted(ORDERS.iterdir()) if ORDERS.exists() else ():
        if ID.fullmatch(folder.name) and facts(folder.name, "accepted") is not None:
            yield folder.name


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
    except (FileNotFoundError, NotADirectoryError):
        return None


def state(order_id: str) -> str:
    """The last thing that has happened. Raises `KeyError` if there is no such order."""
    for what in ("failed", *reversed(STEPS)):
        if facts(order_id, what) is not None:
            return what
    raise KeyError(order_id)


def put_off(order_id: str, seconds: float) -> None:
    """Nothing will happen to this order for so many seconds, and that is as it should be."""
    when = time.time() + seconds
    os.utime(folder_of(order_id) / "accepted.json", (when, when))


def unfinished(older_than: float) -> Iterator[str]:
    """The orders to which nothing has happened for so many seconds, and that have not ended."""
    for order_id in all_ids():
        if state(order_id) not in ENDS:
            files = [folder_of(order_id) / f"{step}.json" for step in STEPS]
            latest = max(file.stat().st_mtime for file in files if file.exists())
            if time.time() - latest >= older_than:
                yield order_id
