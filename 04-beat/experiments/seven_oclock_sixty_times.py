"""# `crontab(hour=7)`: how often does it run in a day?

## Question

Seven crontabs, as they stand in many projects. How often does each run in a day, and what is the
longest pause? The first is `crontab(hour=7)`.

## Predict

- [x] 60 times, from 7:00 to 7:59.
- [ ] Once, at 7:00: where no minute is given, it is the full hour.
- [ ] 24 times: once an hour, from the seventh minute on.

## Why

What is not given is `*`, "every", and not 0. So `crontab()` is every minute, and `crontab(hour=7)`
every minute of that hour.

A step counts from the beginning of the hour, not from the last run: `*/7` is 0, 7, ... 49, 56, and
then 0 again, four minutes later. A step larger than the range leaves the first value: `*/70` is
the full hour, and Celery says nothing. `hour=25` it refuses, and since 5.7 a 31 February as well.

Day of the week and day of the month must *both* be right. The crontab of Unix wants one of the two.
So the last one is a Friday the 13th, and not every Friday and every 13th.

## Fix

Write `minute=` in every crontab. Where you mean "every so many minutes", write an interval in
seconds. Look at what comes before it does: `lab calendar -A your_app --days 2`, and `--check`.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from celery import Celery
from celery.schedules import crontab

from lab.schedule.coming import coming_runs

CRONTABS = {
    "hour=7": {"hour": 7},
    "hour=7, minute=0": {"hour": 7, "minute": 0},
    "(nothing)": {},
    'minute="*/7"': {"minute": "*/7"},
    'minute="*/70"': {"minute": "*/70"},
    "minute=0, hour=0, day_of_week=5": {"minute": 0, "hour": 0, "day_of_week": 5},
    "the same, day_of_month=13": {"minute": 0, "hour": 0, "day_of_week": 5, "day_of_month": 13},
}


def run(bench):
    app, rows = Celery(set_as_current=False), []
    for words, fields in CRONTABS.items():
        start = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
        day, year = start + timedelta(days=1), start + timedelta(days=365)
        each = crontab(**fields, app=app)
        today = list(coming_runs(each, start, day))
        row = {"crontab": words, "on 1 January": len(today)}
        if len(today) < 2:
            row["in 2026"] = len(list(coming_runs(each, start, year)))
        pauses = {(later - run) // timedelta(minutes=1) for run, later in pairwise(today)}
        rows.append(row | {"minutes between two": ", ".join(map(str, sorted(pauses)))})
    return rows


def claims(rows):
    seven, right, nothing, uneven, too_far, fridays, both = rows
    return {
        "hour=7 runs 60 times": seven["on 1 January"] == 60,
        "with minute=0 once": right["on 1 January"] == 1,
        "nothing at all means every minute": nothing["on 1 January"] == 24 * 60,
        "*/7 has a pause of 4 minutes": uneven["minutes between two"] == "4, 7",
        "*/70 is every hour": too_far["minutes between two"] == "60",
        "52 Fridays, and 3 of them the 13th": (fridays["in 2026"], both["in 2026"]) == (52, 3),
    }
