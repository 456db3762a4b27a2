"""The supplier. It is complete: nothing is to be done here."""

import os
import time

from redis import Redis

memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


def order(paper):
    """Order paper, and pay for it."""
    time.sleep(0.1)
    memory.rpush("orders", paper)
