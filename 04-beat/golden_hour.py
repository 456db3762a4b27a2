"""Given: an aside, a schedule that follows the sun.  lab calendar -A golden_hour

It needs the package `ephem`:  pip install "celery[solar]"
"""

from celery import Celery
from celery.schedules import solar

app = Celery("golden_hour", broker="redis://localhost:6379/0")
app.conf.timezone = "Europe/Paris"
app.conf.beat_schedule = {
    "golden-hour": {
        "task": "golden_hour.call_the_photographer",
        "schedule": solar("sunset", lat=48.86, lon=2.35),
        "options": {"expires": 900},
    },
}


@app.task(ignore_result=True)
def call_the_photographer() -> None:
    """The light is at its best now."""
    print("Go out and take photos.")
