"""The printing machine. It is complete: nothing is to be done here."""

import os
import signal
import time

from redis import Redis

LONGEST = 10 * 60  # seconds: no order is on the machine for longer

memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


def print_photos(order):
    """Print an order. It is ready when the key machine:ready:<order> is in Redis."""
    memory.hset("machine:process", order, os.getpid())
    memory.rpush("machine:begun", order)
    if order == "panorama":
        # So large that the kernel kills each process that opens it. Here it kills itself.
        os.kill(os.getpid(), signal.SIGKILL)
    end = time.monotonic() + LONGEST
    while not memory.exists(f"machine:ready:{order}") and time.monotonic() < end:
        time.sleep(0.02)
    memory.rpush("machine:printed", order)
