"""The studio's own schedule: what the calendar says of it, its business days, its due times."""

import pickle
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery
from celery.beat import ScheduleEntry
from click.testing import CliRunner
from conftest import CHAPTER

from lab import cli
from lab.schedule.coming import coming_runs, next_run


def calendar(*words):
    result = CliRunner().invoke(cli.calendar, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_studio_and_the_golden_hour_are_good(monkeypatch):
    monkeypatch.chdir(CHAPTER)
    assert calendar("-A", "clock", "--check") == (0, "ok: nothing to fix in 5 entries.\n")
    assert calendar("-A", "golden_hour", "--check") == (0, "ok: nothing to fix in 1 entry.\n")


def test_the_calendar_lists_runs_in_order_and_sums_up_the_frequent_ones(monkeypatch):
    monkeypatch.chdir(CHAPTER)
    code, said = calendar("-A", "clock", "--start", "2027-03-26", "--days", "3")
    assert code == 0
    assert said == (
        "3 days from Fri 26 Mar 2027 00:00, Europe/Paris\n"
        "\n"
        "heartbeat  every 5 seconds, 17,280 a day\n"
        "reminders  every 5 seconds, 17,280 a day\n"
        "\n"
        "Fri 26 Mar 2027  03:30     clean-up       clock.tasks.clean_up\n"
        "Fri 26 Mar 2027  08:30     morning-list   clock.tasks.morning_list\n"
        "Sat 27 Mar 2027  03:30     clean-up       clock.tasks.clean_up\n"
        "Sun 28 Mar 2027  03:30     clean-up       clock.tasks.clean_up"
        "  (the clocks change: a day of 23 hours)\n"
        "Sun 28 Mar 2027  17:03     weekly-digest  clock.tasks.digest"
        "  (the clocks change: a day of 23 hours)\n"
    )


def test_the_short_word_for_the_calendar_shows_the_same(bench):
    short = bench.run([sys.executable, "-m", "clock.calendar", "--check"])
    assert (short.returncode, short.log()) == (0, "ok: nothing to fix in 5 entries.\n")
    other = bench.run([sys.executable, "-m", "clock.calendar", "-A", "golden_hour", "--check"])
    assert (other.returncode, other.log()) == (0, "ok: nothing to fix in 1 entry.\n")


def test_without_the_course_the_short_word_says_what_is_missing(bench, tmp_path):
    """The example, copied to a machine where nothing of ours is installed."""
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    process = bench.run([str(python), "-m", "clock.calendar"])
    assert process.returncode == 1
    assert process.log().startswith("The calendar is a part of the course, and there is no ")
    assert len(process.log().splitlines()) == 1


def test_a_task_is_told_the_due_time_that_the_calendar_shows():
    from clock.celery import app
    from clock.scheduler import due_time

    for name, written in app.conf.beat_schedule.items():
        last = datetime(2026, 12, 24, 12, tzinfo=UTC)
        entry = ScheduleEntry(**{**written, "name": name, "app": app, "last_run_at": last})
        assert due_time(entry) == next_run(entry.schedule, last)
        assert entry.schedule.nowfun is None, "the schedule is left as it was"


def test_business_days_leave_out_weekends_and_the_days_when_the_studio_is_closed():
    from clock.business_days import BusinessDays

    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Paris"
    start = datetime(2026, 12, 24, 12, tzinfo=UTC)
    runs = coming_runs(BusinessDays(8, 30, app=app), start, start + timedelta(days=12))
    days = [f"{run.astimezone(app.timezone):%a %d %H:%M}" for run in runs]
    assert days == [
        f"{day} 08:30" for day in ("Mon 28", "Tue 29", "Wed 30", "Thu 31", "Mon 04", "Tue 05")
    ]


def test_business_days_are_due_as_beat_asks_and_survive_its_file():
    from clock.business_days import BusinessDays

    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Paris"
    each = pickle.loads(pickle.dumps(BusinessDays(8, 30)))  # noqa: S301 our own object
    each.app = app
    thursday = datetime(2026, 12, 24, 8, 30, tzinfo=app.timezone)
    each.nowfun = lambda: datetime(2026, 12, 25, 8, 30, tzinfo=app.timezone)
    assert each.is_due(thursday) == (False, 3 * 24 * 3600), "Christmas, then a weekend"
    each.nowfun = lambda: datetime(2026, 12, 28, 8, 30, 1, tzinfo=app.timezone)
    assert each.is_due(thursday) == (True, 24 * 3600 - 1)
