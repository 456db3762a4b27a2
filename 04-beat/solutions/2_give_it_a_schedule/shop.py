"""The shop's clock:  celery -A shop beat"""

from celery import Celery
from celery.schedules import crontab

app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.result_expires = None  # no celery.backend_cleanup at 04:00
app.conf.timezone = "Europe/Helsinki"
app.conf.beat_schedule = {
    "look-for-orders": {
        "task": "shop.look_for_orders",
        "schedule": 1.0,  # seconds
        "options": {"expires": 1},
    },
    "close-the-day": {
        "task": "shop.close_the_day",
        "schedule": crontab(hour=18, minute=30),
        "options": {"expires": 3600},
    },
}


@app.task
def look_for_orders():
    print("Are there new orders?")


@app.task
def close_the_day():
    print("The sum of the day is ...")
