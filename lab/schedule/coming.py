"""When a schedule runs next. The schedule itself is asked: there is no second calculation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from celery.schedules import BaseSchedule


def next_run(schedule: BaseSchedule, last: datetime) -> datetime | None:
    """The first run after `last`, in UTC. `None` when there is none.

    Works for crontab, intervals, solar, and for every class with a `remaining_estimate`.
    """
    last = last.astimezone(UTC)
    before = schedule.nowfun
    # A schedule answers "in so many seconds, from now". It gets another now to count from.
    schedule.nowfun = lambda: last
    try:
        wait = schedule.remaining_estimate(last)
    finally:
        schedule.nowfun = before
    return None if wait is None else last + wait


def coming_runs(schedule: BaseSchedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """The runs after `start` and until `end`, in UTC, one after the other."""
    run = next_run(schedule, start)
    last = start
    while run is not None and last < run <= end:
        yield run
        last, run = run, next_run(schedule, run)
