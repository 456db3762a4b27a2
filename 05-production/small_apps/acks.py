"""One function, as four tasks: each has its own way to acknowledge. See reliability.md."""

import os
import signal
import time

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("acks", broker=REDIS, backend=REDIS)
app.conf.worker_soft_shutdown_timeout = 3  # seconds
app.conf.broker_transport_options = {
    "visibility_timeout": 3600,  # seconds
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}


def print_order(order: str, seconds: float = 0) -> str:
    """It takes as long as you say. An order called "poison" kills the process that prints it."""
    if order == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    print(f"printing {order}")
    time.sleep(seconds)
    return f"{order} is printed"


early = app.task(print_order, name="early")
late = app.task(print_order, name="late", acks_late=True)
reject = app.task(print_order, name="reject", acks_late=True, reject_on_worker_lost=True)
retry = app.task(
    print_order,
    name="retry",
    acks_late=True,
    retry_on_worker_lost=True,
    max_retries=2,
    default_retry_delay=1,
)
