"""beat's own scheduler, with one addition: a task can be told when its run was due.

beat sends the name of a task and its arguments, and no time. Two beats, or a message that comes
twice, are two calls that look alike. With its due time, a task knows which of its runs it is.
"""

from celery.beat import PersistentScheduler, ScheduleEntry

from clock.coming import next_run

DUE = "{due}"


class TellsDueTime:
    """In the arguments of an entry, ``"due": "{due}"`` becomes the due time, in ISO format."""

    def apply_async(self, entry: ScheduleEntry, **kwargs):
        if entry.kwargs.get("due") == DUE:
            due = next_run(entry.schedule, entry.last_run_at or entry.default_now())
            entry.kwargs = {**entry.kwargs, "due": due.astimezone(self.app.timezone).isoformat()}
        return super().apply_async(entry, **kwargs)


class Scheduler(TellsDueTime, PersistentScheduler):
    """Keeps in a file when each entry has run last. Nothing prevents a second one."""
