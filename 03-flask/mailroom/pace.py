"""Given: how fast mail may leave: one rate for all workers, counted in Redis."""

import os
import time

from flask import Flask, current_app
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter


def init_app(app: Flask) -> None:
    url = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
    app.extensions["pace"] = MovingWindowRateLimiter(storage_from_string(url))


def wait_for_turn() -> None:
    """Return when one more mail may leave.

    A worker that waits here takes no other mail. So as many wait as there are pool processes, and
    the rest is still in the queue.
    """
    limiter = current_app.extensions["pace"]
    rate = parse(current_app.config["RATE"])
    while not limiter.hit(rate, "mail"):
        free = limiter.get_window_stats(rate, "mail").reset_time
        time.sleep(min(max(free - time.time(), 0.01), 1))
