"""What beat itself meets badly, found before it starts: one list of rules.

`check` goes through all of them. Who wants another choice takes it from `RULES`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import groupby, islice, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule

from lab.schedule.coming import coming_runs

FAST = timedelta(minutes=1)
AN_HOUR = 60  # runs, one after each such pause
# The fields of a crontab, and how many values there are.
FIELDS = {"minute": 60, "hour": 24, "day_of_week": 7, "day_of_month": 31, "month_of_year": 12}


class Finding(NamedTuple):
    """Something to fix: the entry (or setting) it is about, and what to do."""

    name: str
    what: str


@dataclass(frozen=True)
class Rule:
    """What a good schedule keeps to: a name, a sentence, and how to find what breaks it."""

    name: str
    sentence: str
    find: Callable[[Celery], Iterator[Finding]]
    # The same for one entry that beat has made, in sentences. `None` when the rule is about
    # something else.
    find_in: Callable[[ScheduleEntry], Iterator[str]] | None = None


RULES: list[Rule] = []


def words(function: Callable[..., Any]) -> tuple[str, str]:
    """The name of a rule and its sentence: the function's own."""
    return function.__name__.replace("_", "-"), inspect.getdoc(function) or ""


def rule(find: Callable[[Celery], Iterator[Finding]]) -> Rule:
    """Make a rule about an app of a function, and put it on the list."""
    RULES.append(Rule(*words(find), find))
    return RULES[-1]


def entry_rule(find_in: Callable[[ScheduleEntry], Iterator[str]]) -> Rule:
    """Make a rule about each entry of a function, and put it on the list."""

    def find(app: Celery) -> Iterator[Finding]:
        for entry in readable(app):
            yield from (Finding(entry.name, what) for what in find_in(entry))

    RULES.append(Rule(*words(find_in), find, find_in))
    return RULES[-1]


def check(app: Celery) -> list[Finding]:
    """All that is wrong with the schedule of an app. It has to be loaded (`loading.load`)."""
    found = list(zone_exists.find(app))
    if found:
        app.conf.timezone = "UTC"  # so that the rest can be looked at
    for each in RULES:
        if each is not zone_exists:
            found += each.find(app)
    # One entry after the other, as they are written.
    order = {name: number for number, name in enumerate(app.conf.beat_schedule)}
    return sorted(found, key=lambda finding: order.get(finding.name, -1))


def check_entry(entry: ScheduleEntry) -> Iterator[str]:
    """All that is wrong with one entry, in sentences."""
    for each in RULES:
        if each.find_in:
            yield from each.find_in(entry)


def readable(app: Celery) -> Iterator[ScheduleEntry]:
    """The entries of an app as beat makes them. What it cannot read has a rule of its own."""
    for name, written in app.conf.beat_schedule.items():
        try:
            yield made(app, name, written)
        except Exception:
            continue


def made(app: Celery, name: str, written: dict[str, Any]) -> ScheduleEntry:
    return ScheduleEntry(**{**written, "name": name, "app": app})


@rule
def zone_exists(app: Celery) -> Iterator[Finding]:
    """The time zone of the app exists."""
    try:
        ZoneInfo(app.conf.timezone or "UTC")
    except Exception:
        yield Finding(
            "timezone",
            f"there is no time zone {app.conf.timezone!r}: beat would die, in more than a "
            'thousand lines. Zones are called after cities: "Europe/Paris".',
        )


@rule
def readable_by_beat(app: Celery) -> Iterator[Finding]:
    """An entry has the keys that beat knows, and a schedule that is one."""
    for name, written in app.conf.beat_schedule.items():
        try:
            made(app, name, written)
        except Exception as error:
            yield Finding(name, f"beat cannot read this entry: {error}.")


@entry_rule
def task_is_known(entry: ScheduleEntry) -> Iterator[str]:
    """The app has the task that an entry names."""
    tasks = entry.app.tasks
    if entry.task not in tasks:
        similar = get_close_matches(str(entry.task), tasks, n=1)
        hint = f"Do you mean {similar[0]!r}?" if similar else "Is its module in include=?"
        yield f"there is no task {entry.task!r}: a worker would throw the message away. {hint}"


@entry_rule
def arguments_fit(entry: ScheduleEntry) -> Iterator[str]:
    """The arguments of an entry fit the function of its task."""
    task = entry.app.tasks.get(entry.task)
    if task is not None and task.typing:
        try:
            task.__header__(*entry.args or (), **entry.kwargs)  # as .delay() does
        except TypeError as error:
            yield f"its arguments do not fit the task: {error}. Fix args and kwargs."


@entry_rule
def has_a_schedule(entry: ScheduleEntry) -> Iterator[str]:
    """An entry says when it runs."""
    if entry.schedule is None:
        yield "it has no 'schedule': beat would never send it. Write when it runs."


@entry_rule
def interval_above_zero(entry: ScheduleEntry) -> Iterator[str]:
    """An interval is longer than nothing."""
    if isinstance(entry.schedule, schedule):
        seconds = entry.schedule.run_every.total_seconds()
        if seconds <= 0:
            yield (
                f"an interval of {seconds:g} seconds: beat would send without a pause, thousands "
                "of messages in seconds. Write a number above zero."
            )


def written_fields(each: crontab) -> dict[str, Any]:
    """The fields of a crontab as they are written."""
    return {field: getattr(each, f"_orig_{field}") for field in FIELDS}


@entry_rule
def minute_is_written(entry: ScheduleEntry) -> Iterator[str]:
    """A crontab with an hour or a day has a minute as well."""
    if isinstance(entry.schedule, crontab):
        written = written_fields(entry.schedule)
        if written["minute"] == "*" and any(value != "*" for value in written.values()):
            yield (
                "a crontab without a minute runs 60 times an hour. Write minute=0. If you want "
                'every minute, write minute="*/1".'
            )


@entry_rule
def steps_are_even(entry: ScheduleEntry) -> Iterator[str]:
    """A step in a crontab divides its field."""
    if not isinstance(entry.schedule, crontab):
        return
    for field, text in written_fields(entry.schedule).items():
        step, values = re.fullmatch(r"\*/(\d+)", str(text)), FIELDS[field]
        if step and int(step[1]) >= values:
            yield (
                f"{field}='{step[0]}' is a step over all {values} values: it means "
                f"{field}={min(getattr(entry.schedule, field))}. Write that, or an interval in "
                "seconds."
            )
        elif step and values % int(step[1]):
            *_, last = sorted(getattr(entry.schedule, field))
            yield (
                f"{field}='{step[0]}' is uneven: after {last} it starts again. Write a step that "
                f"divides {values}, or an interval in seconds."
            )


@entry_rule
def one_kind_of_days(entry: ScheduleEntry) -> Iterator[str]:
    """A crontab has days of the week or days of the month, not both."""
    if not isinstance(entry.schedule, crontab):
        return
    written = written_fields(entry.schedule)
    days = sorted(entry.schedule.day_of_month)
    one_week = len(days) == 7 and days[-1] - days[0] == 6  # the first Monday, say: on purpose
    if written["day_of_week"] != "*" and written["day_of_month"] != "*" and not one_week:
        yield (
            "day_of_week and day_of_month together: Celery wants both to be true, where cron "
            "wants one of them. Write two entries if you want either."
        )


def some_runs(entry: ScheduleEntry) -> list[datetime]:
    """The runs of the next eight days, and of them the first.

    So many that an hour full of runs is among them, at whatever time of the day this is asked.
    """
    if entry.schedule is None:
        return []
    start = datetime.now(UTC)
    coming = coming_runs(entry.schedule, start, start + timedelta(days=8))
    return list(islice(coming, 2 * AN_HOUR + 10))


@entry_rule
def says_when_it_runs(entry: ScheduleEntry) -> Iterator[str]:
    """A schedule answers when beat asks for the next run."""
    try:
        some_runs(entry)
    except Exception as error:
        yield f"it cannot say when it runs next: {type(error).__name__}: {error}."


@entry_rule
def fast_ones_expire(entry: ScheduleEntry) -> Iterator[str]:
    """What runs every minute or more often, for more than an hour, has an `expires`."""
    try:
        runs = some_runs(entry)
    except Exception:
        return  # the rule above has said it
    gaps = [later - run for run, later in pairwise(runs)]
    streaks = [len(list(gap)) for quick, gap in groupby(gaps, FAST.__ge__) if quick]
    task = entry.app.tasks.get(entry.task)
    expires = entry.options.get("expires") or getattr(task, "expires", 0)
    if max(streaks, default=0) >= AN_HOUR and not expires:
        fast = min(gaps)
        a_day = timedelta(days=1) / fast
        yield (
            f"no 'expires', and up to {a_day:,.0f} messages a day: without a worker they pile up, "
            f'and all run when it comes back. Write "options": {{"expires": '
            f"{fast.total_seconds():g}}}."
        )
