"""The clockwork. It is complete: nothing is to be done here."""

from datetime import timedelta

from celery.beat import PersistentScheduler
from celery.schedules import BaseSchedule, schedstate

DUE = "{due}"


class FullSeconds(BaseSchedule):
    """Due at every full second on the clock: at the same times in every beat, like a crontab.

    (An interval would not do. It counts from the moment its beat started.)
    """

    def due_after(self, last_run_at):
        return last_run_at.replace(microsecond=0) + timedelta(seconds=1)

    def remaining_estimate(self, last_run_at):
        return self.due_after(last_run_at) - self.now()

    def is_due(self, last_run_at):
        wait = self.remaining_estimate(last_run_at).total_seconds()
        return schedstate(wait <= 0, wait if wait > 0 else 0.1)

    def __reduce__(self):
        return FullSeconds, ()


class Scheduler(PersistentScheduler):
    """In the arguments of an entry, ``"due": DUE`` becomes the due time, as a text."""

    def apply_async(self, entry, **kwargs):
        if entry.kwargs.get("due") == DUE:
            due = entry.schedule.due_after(entry.last_run_at)
            entry.kwargs = {**entry.kwargs, "due": due.isoformat()}
        return super().apply_async(entry, **kwargs)
