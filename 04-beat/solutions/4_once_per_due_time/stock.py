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
        "kwargs": {"paper": "matt", "due": clockwork.DUE},
    },
}


@app.task
def order_paper(paper, due):
    if supplier.memory.set(f"ordered:{due}", paper, nx=True, ex=24 * 3600):
        supplier.order(paper)
