"""When a crontab runs: Celery's schedule objects and croniter, which know nothing of each other.

croniter counts on the wall clock, without a zone. On every day of 24 hours both must say the
same. On the other days, when the clocks change, they may differ in three ways, and no others.
"""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from croniter import croniter
from redbeat.schedules import rrule

from lab.schedule.coming import coming_runs, next_run

# The third one changes its clocks in April and October, by half an hour.
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe"]
RUNS = 50

DOES_NOT_EXIST = "the clocks jump over this time"
MOVED = "the first run that was jumped over happens all the same, later by the length of the jump"
PASSED_OVER = (
    "a run between the end of the jump and the moved run: Celery counts from the moved one"
)


@pytest.mark.parametrize("seed", range(5))
def test_the_next_50_runs_agree_with_croniter_in_three_zones(seed):
    compare(random.Random(seed), crontabs=30)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_2000_crontabs_agree_with_croniter():
    runs, differences = compare(random.Random("2,000"), crontabs=3000)
    print(f"{runs:,} runs, 0 differences on days of 24 hours, and on the others:")
    for explanation in (DOES_NOT_EXIST, MOVED, PASSED_OVER):
        print(f"{differences.count(explanation):5}  {explanation}")
    assert set(differences) == {DOES_NOT_EXIST, MOVED, PASSED_OVER}


def compare(dice: random.Random, crontabs: int) -> tuple[int, list[str]]:
    """Compare random crontabs. Returns how many runs, and the explained differences."""
    runs, differences = 0, []
    for _ in range(crontabs):
        words = random_crontab(dice)
        for name in ZONES:
            start = random_start(dice, ZoneInfo(name))
            celerys, croniters = next_runs(words, start)
            runs += len(celerys)
            differences += explained(celerys, croniters, f"{words} in {name}, from {start}")
    return runs, differences


def next_runs(words: list[str], start: datetime) -> tuple[list[datetime], list[datetime]]:
    """The runs after `start`, in Celery's words with a zone, in croniter's without."""
    app = Celery(set_as_current=False)
    app.conf.timezone = start.tzinfo.key
    minute, hour, day, month, weekday = words
    each = crontab(minute, hour, weekday, day, month, app=app)
    never = datetime(9000, 1, 1, tzinfo=UTC)
    runs = islice(coming_runs(each, start, never), RUNS)
    celerys = [run.astimezone(start.tzinfo) for run in runs]
    wall = croniter(
        " ".join(words), start.replace(tzinfo=None), day_or=False, max_years_between_matches=100
    )
    croniters = []
    while (run := wall.get_next(datetime)) <= celerys[-1].replace(tzinfo=None):
        croniters.append(run)
    return celerys, croniters


def explained(celerys: list[datetime], croniters: list[datetime], what: str) -> list[str]:
    """The explanation of each difference.

    Fails when there is one on a day of 24 hours, or one without an explanation.
    """
    zone = celerys[0].tzinfo
    walls = [run.replace(tzinfo=None, fold=0) for run in celerys]
    assert len(walls) == len(set(walls)), f"{what}: twice at one time on the wall: {walls}"
    explanations = []
    for run in sorted(set(walls) ^ set(croniters)):
        assert not is_ordinary(run.date(), zone), f"{what}: {run}, on a day of 24 hours"
        jumped = [
            each for each in croniters if each.date() == run.date() and not exists(each, zone)
        ]
        assert jumped, f"{what}: {run}, and the clocks jump over no run on this day"
        first, moved = jumped[0], on_the_wall(jumped[0], zone)
        if run in jumped:
            explanations.append(DOES_NOT_EXIST)
        elif run in walls and run == moved:
            explanations.append(MOVED)
        elif run in croniters and first < run < moved:
            explanations.append(PASSED_OVER)
        else:
            raise AssertionError(f"{what}: {run} is not explained. {walls=} {croniters=}")
    return explanations


def on_the_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """What a clock shows when it should show this time: the same, or later after a jump."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock on the wall ever shows this time."""
    return on_the_wall(wall, zone) == wall


def is_ordinary(day: date, zone: ZoneInfo) -> bool:
    """Whether a day has 24 hours."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight.utcoffset() == (midnight + timedelta(days=1)).utcoffset()


def random_crontab(dice: random.Random) -> list[str]:
    """Minute, hour, day, month, weekday. No day above 28: every crontab runs sometime."""
    return [random_field(dice, *ends) for ends in ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))]


def random_field(dice: random.Random, low: int, high: int) -> str:
    numbers = sorted(dice.sample(range(low, high + 1), dice.randint(2, 4)))
    return dice.choices(
        [
            "*",
            str(numbers[0]),
            ",".join(map(str, numbers)),
            # Never "8-8": Celery reads it as 8, and croniter 7 as "*".
            f"{numbers[0]}-{numbers[-1]}",
            f"*/{dice.randint(2, (high - low) // 2)}",
            f"{numbers[0]}-{numbers[-1]}/2",
        ],
        weights=[8, 4, 2, 1, 2, 1],
    )[0]


def random_start(dice: random.Random, zone: ZoneInfo) -> datetime:
    """A minute in five years. Of three, two are on one of the days before the clocks change."""
    while True:
        start = datetime(2025, 1, 1) + timedelta(minutes=dice.randrange(5 * 365 * 24 * 60))
        soon = [start.date() + timedelta(days=number) for number in range(4)]
        change = not all(is_ordinary(day, zone) for day in soon)
        if is_ordinary(start.date(), zone) and (change or dice.random() < 0.01):
            return start.replace(tzinfo=zone)


# What the closed list means for a run at half past two, and for one every hour


def in_paris(*fields: str) -> crontab:
    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Paris"
    return crontab(*fields, app=app)


def runs_on(day: str, each: crontab) -> list[str]:
    """The runs of one day: time on the wall, and distance from UTC."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Paris"))
    end = (midnight + timedelta(days=1)).astimezone(UTC)
    runs = coming_runs(each, midnight.astimezone(UTC) - timedelta(seconds=1), end)
    return [f"{run.astimezone(midnight.tzinfo):%H:%M %z}" for run in runs if run < end]


def test_when_half_past_two_does_not_exist_the_run_comes_at_half_past_three():
    assert runs_on("2027-03-28", in_paris("30", "2")) == ["03:30 +0200"]


def test_when_half_past_two_happens_twice_the_run_comes_the_first_time_only():
    assert runs_on("2027-10-31", in_paris("30", "2")) == ["02:30 +0200"]


def test_an_hourly_crontab_waits_two_hours_when_an_hour_happens_twice():
    runs = runs_on("2027-10-31", in_paris("30"))
    assert len(runs) == 24, "the day has 25 hours"
    assert runs[1:4] == ["01:30 +0200", "02:30 +0200", "03:30 +0100"]


def test_an_interval_knows_no_clocks_on_the_wall():
    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Paris"
    start = datetime(2027, 10, 30, 22, 30, tzinfo=UTC)
    runs = coming_runs(schedule(3600, app=app), start, start + timedelta(hours=25))
    assert len(list(runs)) == 25


# The schedule objects


def test_asking_for_coming_runs_leaves_the_schedule_as_it_was():
    each = in_paris("0", "3")
    before = each.now()
    next_run(each, datetime(2030, 1, 1, tzinfo=UTC))
    assert each.nowfun is None and before <= each.now() < datetime(2030, 1, 1, tzinfo=UTC)


def test_a_schedule_that_ends_has_no_next_run():
    first = datetime(2027, 3, 1, 9, tzinfo=UTC)
    app = Celery(set_as_current=False)
    three = rrule("DAILY", dtstart=first, count=3, app=app)  # a class of RedBeat's
    runs = coming_runs(three, first - timedelta(days=1), first + timedelta(days=100))
    assert list(runs) == [first + timedelta(days=number) for number in range(3)]
