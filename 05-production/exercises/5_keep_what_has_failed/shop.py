"""The print shop. It is complete: nothing is to be done here."""

import os
import time

from celery import Celery
from redis import Redis

app = Celery("shop", broker="redis://localhost:6379/0", include=["dead_letters"])
app.conf.task_ignore_result = True
app.conf.task_acks_late = True
# Whoever sends hears soon that there is no broker.
app.conf.broker_transport_options = {"max_retries": 0, "socket_connect_timeout": 1}

# The shop's memory is a Redis of its own: it can be there when the broker is not.
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


class Busy(Exception):
    """The machine prints something else. It is free in a moment."""


@app.task(autoretry_for=(Busy,), default_retry_delay=0.1)
def print_photo(photo, copies=1):
    use_the_machine(photo)
    memory.rpush("done", f"{photo} printed {copies} times")


@app.task
def frame_photo(photo, colour="black"):
    use_the_machine(photo)
    memory.rpush("done", f"{photo} framed in {colour}")


def use_the_machine(photo):
    """What is wrong with a photo, if anything is, stands in the memory."""
    trouble = memory.hget("trouble", photo)
    if trouble == "torn":
        raise ValueError("The paper is torn.")
    if trouble == "stuck":
        time.sleep(600)
    if trouble == "busy":
        memory.hdel("trouble", photo)
        raise Busy(photo)
