"""Paper for the printers:  celery -A stock beat,  celery -A stock worker"""

import clockwork
import supplier
from celery import Celery

app = Celery("stock", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.result_expires = None  # no celery.backend_cleanup at 04:00
app.conf.beat_scheduler = "clockwork:Scheduler"
app.conf.beat_schedule = {
    "order-paper": {
        "task": "stock.order_paper",
        "schedule": clockwork.FullSeconds(),
        # TODO: the task does not know for which time it is sent.
        "kwargs": {"paper": "matt"},
    },
}


@app.task
def order_paper(paper):
    # TODO: two beats may send this for the same time.
    supplier.order(paper)
