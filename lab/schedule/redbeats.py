"""The entries that RedBeat keeps in Redis: what is there, and how to change it while beat runs.

A change is in Redis at once. RedBeat looks there every `beat_max_loop_interval` seconds.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from celery import Celery
from celery.schedules import BaseSchedule, crontab, maybe_schedule, schedule
from redbeat.schedulers import RedBeatSchedulerEntry, ensure_conf, get_redis

from lab.schedule.rules import check_entry


class Refused(Exception):
    """Nothing has changed. The message says why, and what to do."""


class RedBeats:
    """The entries of an app in Redis. The app has to be loaded (`loading.load`)."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        if options := app.conf.get("redbeat_redis_options"):
            # Somebody waits for the answer: do not try for a minute.
            app.conf.redbeat_redis_options = {**options, "retry_period": None}
        self.conf = ensure_conf(app)
        self.redis = get_redis(app)

    def __iter__(self) -> Any:
        """All entries, in the order in which they come."""
        return map(self.read, self.redis.zrange(self.conf.schedule_key, 0, -1))

    def read(self, key: str) -> RedBeatSchedulerEntry:
        """The entry under a key of Redis."""
        entry = RedBeatSchedulerEntry.from_key(key, app=self.app)
        if self.is_in_code(entry.name):
            # RedBeat knows a class of one's own by the crontab only that it is made from.
            written = self.app.conf.beat_schedule[entry.name]
            entry.schedule = maybe_schedule(written["schedule"], app=self.app)
        return entry

    def is_in_code(self, name: str) -> bool:
        """Whether the schedule in the code has such an entry."""
        return name in self.app.conf.beat_schedule

    def find(self, name: str) -> RedBeatSchedulerEntry:
        """The entry with this name. Raises `Refused` when it is none that can be changed here."""
        if self.is_in_code(name):
            raise Refused(
                f"{name} stands in the code, and comes back at every start. Change it there."
            )
        try:
            return self.read(RedBeatSchedulerEntry.generate_key(self.app, name))
        except KeyError:
            raise Refused(f"There is no entry {name}. `list` shows what there is.") from None

    def add(self, name: str, task: str, when: BaseSchedule, **fields: Any) -> RedBeatSchedulerEntry:
        """Write a new entry. Raises `Refused` when there is one, or something is wrong with it."""
        if not re.fullmatch(r"[\w-]+", name):
            raise Refused(f"{name!r} is no good name: use letters, digits, - and _.")
        key = RedBeatSchedulerEntry.generate_key(self.app, name)
        if self.is_in_code(name) or self.redis.exists(key):
            raise Refused(f"There is an entry {name} already. Change it, or choose another name.")
        return self.save(RedBeatSchedulerEntry(name, task, when, app=self.app, **fields))

    def save(self, entry: RedBeatSchedulerEntry) -> RedBeatSchedulerEntry:
        """Write an entry. Raises `Refused` when something is wrong with it."""
        for what in check_entry(entry):
            raise Refused(f"{entry.name}: {what}")
        return entry.save()

    def pause(self, name: str) -> RedBeatSchedulerEntry:
        """Keep an entry, but do not send it."""
        entry = self.find(name)
        entry.enabled = False
        return self.save(entry)

    def resume(self, name: str) -> RedBeatSchedulerEntry:
        """Send it again, from now on. What it has missed stays missed."""
        entry = self.find(name)
        entry.enabled = True
        entry.reschedule(entry.default_now().astimezone(UTC))
        return self.save(entry)

    def schedule(self, every: float | None, cron: str | None) -> BaseSchedule:
        """The schedule that an interval or five fields describe. Raises `Refused`."""
        if every is not None and cron is None:
            try:
                return schedule(every, app=self.app)
            except (ValueError, OverflowError):
                raise Refused(f"--every {every}: write a number of seconds.") from None
        if cron is None or every is not None:
            raise Refused('Say when: --every 30 (seconds), or --cron "30 3 * * sun". One of them.')
        if len(cron.split()) != 5:
            raise Refused(f"--cron {cron!r}: write minute, hour, day, month and day of the week.")
        try:
            return crontab.from_string(" ".join(cron.split()))
        except Exception as error:
            raise Refused(f"--cron {cron!r}: {error}") from None
