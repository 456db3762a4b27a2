from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule

from lab.bench import TooLate, tail, wait_until

HELSINKI = ZoneInfo("Europe/Helsinki")
TASKS = ("shop.look_for_orders", "shop.close_the_day")


def check(bench):
    from shop import app

    app.finalize()
    written = app.conf.beat_schedule
    assert written, "Nothing is scheduled. Which setting of the app holds the schedule?"
    try:
        app.timezone.utcoffset(datetime(2026, 1, 1))
    except Exception:
        raise AssertionError(
            f"There is no time zone {app.conf.timezone!r}. Zones are called after cities, with "
            "their continent."
        ) from None
    entries = {}
    for name, fields in written.items():
        try:
            entry = ScheduleEntry(**{**fields, "name": name, "app": app})
        except TypeError as error:
            raise AssertionError(
                f'beat cannot read the entry "{name}": {error}. An entry has a "task", a '
                '"schedule" and "options". What belongs to the message stands in the options.'
            ) from None
        assert entry.task in TASKS, (
            f'The entry "{name}" names the task {entry.task!r}. The worker would throw its '
            "messages away: it has shop.look_for_orders and shop.close_the_day."
        )
        entries[entry.task] = entry
    missing = [task for task in TASKS if task not in entries]
    assert not missing, f"Nobody sends {missing[0]}. It needs an entry of its own."
    look_for_orders, close_the_day = (entries[task] for task in TASKS)
    check_interval(look_for_orders)
    check_crontab(close_the_day.schedule)
    check_with_beat(bench)


def check_interval(entry):
    assert not isinstance(entry.schedule, crontab), (
        "look_for_orders has a crontab. A crontab knows minutes, and no seconds."
    )
    assert isinstance(entry.schedule, schedule), (
        f"look_for_orders has the schedule {entry.schedule!r}. For an interval, write its seconds."
    )
    seconds = entry.schedule.run_every.total_seconds()
    assert seconds == 1, f"look_for_orders should be sent every second, not every {seconds:g}."
    expires = entry.options.get("expires")
    assert expires, (
        "When no worker runs for a night, the first one in the morning finds 30,000 messages for "
        "look_for_orders. Which option throws away what is too old?"
    )
    assert expires <= 1, (
        f"A message for look_for_orders waits up to {expires} seconds, and the next one comes "
        "after one second. When does nobody need it any more?"
    )


def check_crontab(each):
    assert isinstance(each, crontab), (
        "close_the_day has an interval, which counts from the moment beat starts. A time of the "
        "day is a crontab."
    )
    a_day = coming(each, datetime(2026, 7, 1, tzinfo=UTC), timedelta(days=1))
    assert len(a_day) == 1, (
        f"close_the_day would be sent {len(a_day)} times a day. Which field of the crontab did "
        "nobody write?"
    )
    winter, summer = (
        f"{coming(each, datetime(2026, month, 1, tzinfo=UTC), timedelta(days=2))[0]:%H:%M}"
        for month in (1, 7)
    )
    assert winter == summer, (
        f"The clock in Helsinki shows {winter} in January and {summer} in July when close_the_day "
        "is sent. The schedule does not know where the shop is."
    )
    assert summer == "18:30", (
        f"The clock in Helsinki shows {summer} when close_the_day is sent. It should show 18:30."
    )


def check_with_beat(bench):
    def looks():
        waiting = bench.xray().queues.get("celery", [])
        return [each for each in waiting if each.task == TASKS[0]]

    beat = bench.beat("shop")
    try:
        messages = wait_until(lambda: len(found := looks()) >= 2 and found, "no two", timeout=30)
    except TooLate:
        raise AssertionError(
            f"beat runs, and has not sent look_for_orders twice. It says:\n{tail(beat.log())}"
        ) from None
    assert all(each.headers["expires"] for each in messages), (
        "A message of beat for look_for_orders does not expire. Which option throws away what is "
        "too old?"
    )
    beat.stop()


def coming(each, start, length):
    """The runs after `start`, on the wall in Helsinki, by the schedule object itself."""
    found, last = [], start
    while True:
        each.nowfun = lambda now=last: now  # it answers "in so long, from now"
        last += each.remaining_estimate(last)
        if last > start + length:
            return found
        found.append(last.astimezone(HELSINKI))
