"""The shop's clock:  celery -A shop beat"""

# TODO: a time on the clock is imported from celery.schedules.
from celery import Celery

app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.result_expires = None  # no celery.backend_cleanup at 04:00
# TODO: when is what sent, and on whose clock?


@app.task
def look_for_orders():
    print("Are there new orders?")


@app.task
def close_the_day():
    print("The sum of the day is ...")
