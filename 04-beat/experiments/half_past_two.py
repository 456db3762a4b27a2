"""# The clocks change in the night. When does the run at half past two come?

## Question

`crontab(hour=2, minute=30)`, in Paris. On the last Sunday of March there is no 2:30: the clocks
jump from 2:00 to 3:00. On the last Sunday of October 2:30 comes twice. How often does the entry
run on these days? (New York is the same with an hour less in autumn: there 1:30 comes twice.)

## Predict

- [ ] In March not at all, in October twice: it runs when the clock on the wall says 2:30.
- [x] Once on each day. In March at 3:30, and in October the first time.
- [ ] In March at 1:30, in October twice.

## Why

beat counts the time until the next 2:30 on the wall. Where there is none it counts as if the clocks
had not jumped, and that moment is called 3:30. After the first of two 2:30s, the next one is
tomorrow's. Celery 5.7 has fixed a dozen such cases. Other programs run twice, or never.

In March the run meets the one of half past three: what was an hour apart
is at once. An entry that comes every hour leaves out the second 2:30, and then nothing comes for
two hours. One for every quarter of the night leaves out four runs. What must come every hour is an
interval, `3600`: it counts seconds, and looks at no wall.

## Fix

Schedule nothing between one and three at night: 3:30 is 3:30 on all days. Or give the app
`timezone = "UTC"`, which has no summer: then the distance is always the same, and people see the
run an hour later in summer. In `04-beat`, `lab calendar -A clock --start 2027-03-27` shows a
night without a half past two, and the clean-up at 3:30 all the same.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from celery import Celery
from celery.schedules import crontab, schedule

from lab.schedule.coming import coming_runs

DAYS = {
    "Paris, March": ("Europe/Paris", "2027-03-28"),
    "Paris, October": ("Europe/Paris", "2027-10-31"),
    "New York, March": ("America/New_York", "2027-03-14"),
    "New York, November": ("America/New_York", "2027-11-07"),
}
ENTRIES = {
    "1:30": {"hour": 1, "minute": 30},
    "2:30": {"hour": 2, "minute": 30},
    "3:30": {"hour": 3, "minute": 30},
    "at half past": {"minute": 30},
    "1:00 to 3:45, each quarter": {"hour": "1-3", "minute": "*/15"},
    "every 3600 s": None,
}


def run(bench):
    rows = []
    for name, words in ENTRIES.items():
        row, agrees = {"entry": name}, True
        for day, (zone, date) in DAYS.items():
            app = Celery(set_as_current=False)
            app.conf.timezone = zone
            each = crontab(**words, app=app) if words else schedule(3600, app=app)
            midnight = datetime.fromisoformat(date).replace(tzinfo=app.timezone)
            end = midnight + timedelta(days=1)
            runs = as_beat(each, midnight, end)
            agrees &= runs == list(coming_runs(each, midnight, end.astimezone(UTC)))
            row[day] = in_words([run.astimezone(app.timezone) for run in runs])
        rows.append(row | {"the calendar": "the same" if agrees else "not the same"})
    return rows


def as_beat(each, start, end):
    """What beat does: ask `is_due`, with the time of the last run. Our clock goes faster."""
    now, last, runs = start.astimezone(UTC), start, []
    each.nowfun = lambda: now.astimezone(start.tzinfo)
    while now < end.astimezone(UTC):
        now += timedelta(minutes=15)
        if each.is_due(last)[0]:
            last = each.now()
            runs.append(now)
    each.nowfun = None
    return runs


def in_words(runs):
    """The time on the wall, and how far it is from UTC. Of many runs their number."""
    if len(runs) < 3:
        return " and ".join(f"{run:%H:%M} (UTC{run:%z})".replace("00)", ")") for run in runs)
    gaps = [b.astimezone(UTC) - a.astimezone(UTC) for a, b in pairwise(runs)]
    return f"{len(runs)} runs, up to {max(gaps) // timedelta(minutes=1)} minutes apart"


def claims(rows):
    early, half, late, hourly, quarters, interval = rows
    march, october = "Paris, March", "Paris, October"
    return {
        "in March 2:30 is at 3:30": half[march] == late[march] == "03:30 (UTC+02)",
        "in October it is the first time": half[october] == "02:30 (UTC+02)",
        "in New York 1:30 comes twice, and runs once": early["New York, November"]
        == "01:30 (UTC-04)",
        "3:30 is 3:30 on each of these days": all(late[day].startswith("03:30 ") for day in DAYS),
        "at half past: a gap of two hours in October": "up to 120" in hourly[october],
        "each quarter: 8 runs in March": quarters[march].startswith("8 "),
        "and 12 in October": quarters[october].startswith("12 "),
        "an interval does not notice": interval[march].startswith("23 runs, up to 60 ")
        and interval[october].startswith("25 runs, up to 60 "),
        "the calendar says what beat does": {row["the calendar"] for row in rows} == {"the same"},
    }
