"""The printing hall of the shop:  celery -A hall worker"""

import machine
from celery import Celery

app = Celery("hall", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

app.conf.update(
    task_acks_late=True,
    task_retry_on_worker_lost=True,
    broker_transport_options={"visibility_timeout": 15 * 60},
)


@app.task(max_retries=2, default_retry_delay=1)
def print_order(order):
    """Print the photos of an order."""
    machine.print_photos(order)
