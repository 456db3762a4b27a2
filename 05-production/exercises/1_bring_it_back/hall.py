"""The printing hall of the shop:  celery -A hall worker"""

import machine
from celery import Celery

app = Celery("hall", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# TODO: what becomes of an order when its worker dies, and what when only its pool process does?
app.conf.update()


# TODO: how often is an order tried again, and after how many seconds?
@app.task
def print_order(order):
    """Print the photos of an order."""
    machine.print_photos(order)
