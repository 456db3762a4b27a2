"""Given: beat's own scheduler, with one addition: a task can be told when its run was due.

beat sends the name of a task and its arguments, and no time. Two beats, or a message that comes
twice, are two calls that look alike. With its due time, a task knows which of its runs it is.
"""

from datetime import UTC, datetime

from celery.beat import PersistentScheduler, ScheduleEntry

DUE = "{due}"


def due_time(entry: ScheduleEntry) -> datetime:
    """When the run of an entry that comes after its last one is due, in UTC."""
    last = (entry.last_run_at or entry.default_now()).astimezone(UTC)
    before = entry.schedule.nowfun
    # A schedule answers "in so many seconds, from now". It gets another now to count from.
    entry.schedule.nowfun = lambda: last
    try:
        return last + entry.schedule.remaining_estimate(last)
    finally:
        entry.schedule.nowfun = before


class TellsDueTime:
    """In the arguments of an entry, ``"due": "{due}"`` becomes the due time, in ISO format."""

    def apply_async(self, entry: ScheduleEntry, **kwargs):
        if entry.kwargs.get("due") == DUE:
            due = due_time(entry).astimezone(self.app.timezone)
            entry.kwargs = {**entry.kwargs, "due": due.isoformat()}
        return super().apply_async(entry, **kwargs)


class Scheduler(TellsDueTime, PersistentScheduler):
    """Keeps in a file when each entry has run last. Nothing prevents a second one."""
