"""What beat itself meets badly, found before it starts:  python -m clock.calendar --check"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule

from clock.coming import coming_runs

FAST = timedelta(minutes=1)
# The fields of a crontab, and how many values there are.
FIELDS = {"minute": 60, "hour": 24, "day_of_week": 7, "day_of_month": 31, "month_of_year": 12}


class Finding(NamedTuple):
    """Something to mend: the entry (or setting) it is about, and what to do."""

    name: str
    what: str


def check(app: Celery) -> list[Finding]:
    """All that is wrong with the schedule of an app. It has to be loaded (`loading.load`)."""
    found = [Finding("timezone", what) for what in check_zone(app)]
    if found:
        app.conf.timezone = "UTC"  # so that the rest can be looked at
    for name, written in app.conf.beat_schedule.items():
        try:
            entry = ScheduleEntry(**{**written, "name": name, "app": app})
        except Exception as error:
            found.append(Finding(name, f"beat cannot read this entry: {error}."))
        else:
            found += [Finding(name, what) for what in check_entry(app, entry)]
    return found


def check_zone(app: Celery) -> Iterator[str]:
    try:
        ZoneInfo(app.conf.timezone or "UTC")
    except Exception:
        yield (
            f"there is no time zone {app.conf.timezone!r}: beat would die, in more than a "
            'thousand lines. Zones are called after cities: "Europe/Paris".'
        )


def check_entry(app: Celery, entry: ScheduleEntry) -> Iterator[str]:
    """What is wrong with one entry, in sentences."""
    yield from check_task(app, entry)
    if entry.schedule is None:
        yield "it has no 'schedule': beat would never send it. Write when it runs."
        return
    if isinstance(entry.schedule, schedule):
        seconds = entry.schedule.run_every.total_seconds()
        if seconds <= 0:
            yield (
                f"an interval of {seconds:g} seconds: beat would send without a pause, thousands "
                "of messages in seconds. Write a number above zero."
            )
            return
    if isinstance(entry.schedule, crontab):
        yield from check_crontab(entry.schedule)
    yield from check_expires(app, entry)


def check_task(app: Celery, entry: ScheduleEntry) -> Iterator[str]:
    task = app.tasks.get(entry.task)
    if task is None:
        similar = get_close_matches(str(entry.task), app.tasks, n=1)
        hint = f"Do you mean {similar[0]!r}?" if similar else "Is its module in include=?"
        yield f"there is no task {entry.task!r}: a worker would throw the message away. {hint}"
    elif task.typing:
        try:
            task.__header__(*entry.args or (), **entry.kwargs)  # as .delay() does
        except TypeError as error:
            yield f"its arguments do not fit the task: {error}. Mend args and kwargs."


def check_crontab(each: crontab) -> Iterator[str]:
    written = {field: getattr(each, f"_orig_{field}") for field in FIELDS}
    if written["minute"] == "*" and any(value != "*" for value in written.values()):
        yield (
            "a crontab without a minute runs 60 times an hour. Write minute=0. If you want every "
            'minute, write minute="*/1".'
        )
    for field, values in FIELDS.items():
        step = re.fullmatch(r"\*/(\d+)", str(written[field]))
        if step and int(step[1]) >= values:
            yield (
                f"{field}='{step[0]}' is a step over all {values} values: it means "
                f"{field}={min(getattr(each, field))}. Write that, or an interval in seconds."
            )
        elif step and values % int(step[1]):
            *_, last = sorted(getattr(each, field))
            yield (
                f"{field}='{step[0]}' is uneven: after {last} it starts anew. Write a step that "
                f"divides {values}, or an interval in seconds."
            )
    days = sorted(each.day_of_month)
    one_week = len(days) == 7 and days[-1] - days[0] == 6  # the first Monday, say: on purpose
    if written["day_of_week"] != "*" and written["day_of_month"] != "*" and not one_week:
        yield (
            "day_of_week and day_of_month together: Celery wants both to be true, where cron "
            "wants one of them. Write two entries if you want either."
        )


def check_expires(app: Celery, entry: ScheduleEntry) -> Iterator[str]:
    start = datetime.now(UTC)
    try:
        coming = coming_runs(entry.schedule, start, start + 6 * FAST)
        runs = [run for run, _ in zip(coming, range(6), strict=False)]
    except Exception as error:
        yield f"it cannot say when it runs next: {type(error).__name__}: {error}."
        return
    fast = min((later - run for run, later in pairwise(runs)), default=None)
    task = app.tasks.get(entry.task)
    if fast and fast <= FAST and not (entry.options.get("expires") or getattr(task, "expires", 0)):
        a_day = timedelta(days=1) / fast
        yield (
            f"no 'expires', and up to {a_day:,.0f} messages a day: without a worker they pile up, "
            f'and all run when it comes back. Write "options": {{"expires": '
            f"{fast.total_seconds():g}}}."
        )
