"""Given: a schedule of our own. A time of day, on the days when the studio is open."""

from datetime import datetime, timedelta

from celery.schedules import crontab

# Day and month. The studio is closed, whatever day of the week it is.
CLOSED = {(1, 1), (1, 5), (8, 5), (14, 7), (15, 8), (1, 11), (11, 11), (25, 12)}


class BusinessDays(crontab):
    """From Monday to Friday, but not when the studio is closed."""

    def __init__(self, hour: int, minute: int, **kwargs) -> None:
        super().__init__(hour=hour, minute=minute, day_of_week="mon-fri", **kwargs)

    def remaining_estimate(self, last_run_at: datetime, **kwargs) -> timedelta:
        """How long until the next run, when the last one was at `last_run_at`.

        Negative when it is overdue. This is all that beat needs to know.
        """
        wait = super().remaining_estimate(last_run_at)
        while self.is_closed(run := self.now() + wait):
            wait = super().remaining_estimate(run)  # as if it had run then
        return wait

    def is_closed(self, run: datetime) -> bool:
        day = run.astimezone(self.tz)
        return (day.day, day.month) in CLOSED

    def __reduce__(self) -> tuple:
        # beat keeps its schedule in a file, with pickle. This is how pickle makes it again.
        return BusinessDays, (self._orig_hour, self._orig_minute)
