"""What comes: the runs of all entries of a schedule, in order of time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedule

from lab.schedule.coming import coming_runs

UNITS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
MANY = 12  # runs a day. An entry with more is summed up in one line.


@dataclass
class Plan:
    """What comes in some days. Times are in the time zone `zone`."""

    start: datetime
    days: int
    runs: list[tuple[datetime, ScheduleEntry]] = field(default_factory=list)
    frequent: dict[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> tzinfo | None:
        return self.start.tzinfo

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)

    def hours(self, run: datetime) -> float:
        """How long its day is: 23 or 25 hours, when the clocks change on it."""
        midnight = datetime.combine(run, time(), self.zone)
        next_midnight = midnight + timedelta(days=1)
        return (next_midnight.astimezone(UTC) - midnight.astimezone(UTC)) / timedelta(hours=1)


def make_plan(app: Celery, start: datetime, days: int) -> Plan:
    """The coming runs of all entries, in order of time, and those that run all the time."""
    plan = Plan(start, days)
    for entry in entries_of(app):
        if isinstance(entry.schedule, schedule):
            # It counts from the moment beat starts. Nobody can know its times before.
            plan.frequent[entry.name] = interval(entry.schedule.run_every)
            continue
        coming = coming_runs(entry.schedule, start, plan.end)
        runs = [run.astimezone(plan.zone) for run in coming]
        busiest = max(Counter(run.date() for run in runs).values(), default=0)
        if busiest > MANY:
            plan.frequent[entry.name] = f"{entry.schedule}, up to {busiest:,} a day"
        else:
            plan.runs += [(run, entry) for run in runs]
    plan.runs.sort(key=lambda pair: (pair[0].astimezone(UTC), pair[1].name))
    return plan


def entries_of(app: Celery) -> list[ScheduleEntry]:
    """The entries that beat makes of the app's schedule, and what it adds of its own."""
    scheduler = Scheduler(app, lazy=True)
    scheduler.update_from_dict(app.conf.beat_schedule)
    # Without a backend that forgets by itself: celery.backend_cleanup, every day at 04:00.
    scheduler.install_default_entries(scheduler.schedule)
    return list(scheduler.schedule.values())


def interval(every: timedelta) -> str:
    """How often: "every 5 seconds, 17,280 a day"."""
    for unit, length in UNITS.items():
        if every >= length and every % length == timedelta():
            words = unit if every == length else f"{every // length} {unit}s"
            break
    else:
        words = f"{every.total_seconds():g} seconds"
    a_day = timedelta(days=1) / every
    return f"every {words}, {round(a_day):,} a day" if a_day >= 1 else f"every {words}"
