"""Seven schedules. The time zone is UTC, and the clocks do not change on that day."""

from celery.schedules import crontab, schedule

SCHEDULES = {
    "look for orders": schedule(90),  # seconds
    "clean up the uploads": crontab(hour=7),
    "check the albums": crontab(minute="*/15", hour="9-17"),
    "count the photos": crontab(minute="*/40"),
    "report the orders": crontab(minute="*/70"),
    "wake the printer": crontab(minute=0, hour="*/7"),
    "send the invoices": crontab(minute=0, hour=9, day_of_month=1, day_of_week="fri"),
}

ANSWERS = {
    "look for orders": "TODO",
    "clean up the uploads": "TODO",
    "check the albums": "TODO",
    "count the photos": "TODO",
    "report the orders": "TODO",
    "wake the printer": "TODO",
    "send the invoices": "TODO",
}
