"""What runs when. The calendar shows it:  lab calendar -A clock"""

from celery.schedules import crontab

from clock.business_days import BusinessDays
from clock.scheduler import DUE

SCHEDULE = {
    "heartbeat": {
        "task": "clock.tasks.heartbeat",
        "schedule": 5.0,  # seconds
        # beat sends, whether anybody works or not. A heartbeat that nobody took for 5 seconds is
        # thrown away: a worker that comes back after a night does not find 6,000 of them.
        "options": {"expires": 5},
    },
    "clean-up": {
        "task": "clock.tasks.clean_up",
        # Without minute=, it would run 60 times, from 3:00 to 3:59. And not between one and three:
        # of these hours one happens twice on one day of the year, and one not at all on another.
        "schedule": crontab(hour=3, minute=30),
        "kwargs": {"days": 30},
        "options": {"expires": 3600},
    },
    "morning-list": {
        "task": "clock.tasks.morning_list",
        "schedule": BusinessDays(hour=8, minute=30),
        "options": {"expires": 3600},
    },
    "weekly-digest": {
        "task": "clock.tasks.digest",
        "schedule": crontab(day_of_week="sun", hour=17, minute=3),
        # The scheduler writes the time here at which this run was due.
        "kwargs": {"due": DUE},
        "options": {"expires": 24 * 3600},
    },
}
