"""A print shop:  celery -A shop worker --loglevel INFO --concurrency 3"""

import machine
from celery import Celery
from machine import LONGEST_PRINT

app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.task_acks_late = True
app.conf.worker_disable_prefetch = True
app.conf.task_time_limit = LONGEST_PRINT * 2
app.conf.broker_transport_options = {
    "visibility_timeout": LONGEST_PRINT * 3,
    # A worker looks every second for what has to be given out again.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}


@app.task
def order(photo):
    """Print a photo that is ordered."""
    machine.print_photo(photo)
