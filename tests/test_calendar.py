"""`lab calendar`, and its rules, on apps that are not ours: a shop with one entry, good or bad."""

import itertools
import sys
from datetime import UTC, datetime

import pytest
import time_machine
from click.testing import CliRunner

from lab import cli
from lab.schedule.loading import CannotBuild, load
from lab.schedule.rules import RULES

SHOP = """
from datetime import timedelta
from celery import Celery
from celery.schedules import crontab, schedule, solar

app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.timezone = "{zone}"


@app.task(name="shop.bill", shared=False)  # each shop has its own
def bill(month="", *, copies=1):
    pass


@app.task(name="shop.ping", shared=False, expires=1)
def ping():
    pass


app.conf.beat_schedule = {{
    "good-one": {{"task": "shop.bill", "schedule": crontab(hour=3, minute=30)}},
    "the-entry": {{
        "task": "shop.bill",
        {entry}
    }},
}}
{more}
"""

# Each with the words that must be in what is said of it.
BAD = {
    "an unknown task": ('"task": "shop.bil", "schedule": crontab(0, 3)', "Do you mean 'shop.bill'"),
    "a task far from all": ('"task": "x.y", "schedule": crontab(0, 3)', "in include="),
    "a negative interval": ('"schedule": -5', "an interval of -5 seconds"),
    "no interval at all": ('"schedule": timedelta(0)', "an interval of 0 seconds"),
    "an impossible date": ('"schedule": crontab(0, 3, "*", 31, 2)', "never occurs"),
    "an hour that is none": ('"schedule": crontab(0, hour=25)', "Valid range is 0-23"),
    "a place that is none": ('"schedule": solar("sunset", 99, 2)', "latitude 99 is invalid"),
    "no minute": ('"schedule": crontab(hour=7)', "60 times an hour"),
    "an uneven step": ('"schedule": crontab(minute="*/7")', "after 56 it starts again"),
    "uneven days": ('"schedule": crontab(0, 3, day_of_month="*/2")', "after 31 it starts again"),
    "too large a step": ('"schedule": crontab(minute="*/70")', "it means minute=0"),
    "no expires": ('"schedule": 2.0', "up to 43,200 messages a day"),
    "no expires, every minute": ('"schedule": crontab()', "up to 1,440 messages a day"),
    "both kinds of days": ('"schedule": crontab(0, 3, "fri", 13)', "both to be true"),
    "an argument too many": ('"args": (1, 2), "schedule": crontab(0, 3)', "but 2 were given"),
    "an unknown argument": ('"kwargs": {"month": 1, "day": 2}, "schedule": 3600', "'day'"),
    "no schedule": ('"options": {}', "it has no 'schedule'"),
    "an unknown key": ('"schedule": 3600, "expires": 5', "'expires'"),
    "a schedule that is none": ('"schedule": "hourly"', "cannot read this entry"),
}
GOOD = {
    "an interval": '"schedule": 5, "options": {"expires": 5}',
    "a task that expires by itself": '"task": "shop.ping", "schedule": 5',
    "an hour": '"schedule": timedelta(hours=1)',
    "every minute": '"schedule": crontab(), "options": {"expires": 60}',
    "a quarter of an hour": '"schedule": crontab(minute="*/15")',
    "every six hours": '"schedule": crontab(minute=0, hour="*/6")',
    "office hours": '"schedule": crontab(minute=30, hour="9-17/2", day_of_week="mon-fri")',
    "the first Monday": '"schedule": crontab(0, 3, day_of_week="mon", day_of_month="1-7")',
    "29 February": '"schedule": crontab(0, 3, day_of_month=29, month_of_year=2)',
    "arguments that fit": '"args": ("may",), "kwargs": {"copies": 2}, "schedule": crontab(0, 3)',
    "the sun": '"schedule": solar("sunset", 48.86, 2.35)',
}
# A schedule with a mistake in its class.
BROKEN = SHOP.replace(
    "app = ",
    "class Broken(crontab):\n"
    "    def remaining_estimate(self, last, **kwargs):\n"
    "        raise ZeroDivisionError('by zero')\n\n\napp = ",
)
numbers = itertools.count()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Writes a shop with one entry, and runs the calendar on it. Returns exit code and words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*words, **parts):
        return calendar("-A", write_shop(tmp_path, **parts), *words)

    return run


def write_shop(
    folder, entry='"schedule": crontab(0, 3)', zone="Europe/Paris", more="", source=SHOP
):
    """Write a shop, and return its name: another one each time, a module is imported once."""
    name = f"shop{next(numbers)}"
    (folder / f"{name}.py").write_text(source.format(entry=entry, zone=zone, more=more))
    return name


def calendar(*words):
    result = CliRunner().invoke(cli.calendar, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("name", BAD)
def test_a_bad_schedule_is_found_with_its_name_and_what_to_do(shop, name):
    entry, words = BAD[name]
    code, said = shop("--check", entry=entry)
    assert code == 1
    assert words in said
    lines = said.strip().splitlines()
    assert lines[0].startswith("the-entry: ")
    assert all(line.startswith("    ") for line in lines[1:]), "nothing is said of another entry"


@pytest.mark.parametrize("hour", [0, 5, 6, 7, 15, 23])
def test_what_is_said_does_not_depend_on_the_hour(shop, hour):
    one_hour, office = '"schedule": crontab(hour=7)', '"schedule": crontab(hour="9-17")'
    with time_machine.travel(datetime(2027, 3, 1, hour, 31, 30, tzinfo=UTC), tick=False):
        code, said = shop("--check", entry=one_hour)
        assert (code, said.count("the-entry: ")) == (1, 1) and BAD["no minute"][1] in said
        assert "no 'expires'" in shop("--check", entry=office)[1]
        for entry in GOOD.values():
            assert shop("--check", entry=entry)[0] == 0, entry


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_on_a_good_schedule(shop, name):
    code, said = shop("--check", entry=GOOD[name])
    assert (code, said) == (0, "ok: nothing to fix in 2 entries.\n")


def test_a_zone_that_does_not_exist_is_found_and_the_rest_is_checked_as_well(shop):
    code, said = shop("--check", zone="Europe/Pari", entry='"schedule": -5')
    assert code == 1
    first, second = said.splitlines()
    assert first.startswith("timezone: there is no time zone 'Europe/Pari'")
    assert second.startswith("the-entry: an interval of -5 seconds")


@pytest.mark.parametrize("name", ["add_periodic_task", "a handler"])
def test_entries_that_are_added_later_are_checked(shop, name):
    more = 'app.add_periodic_task(-1, ping.s(), name="added")'
    if name == "a handler":
        more = f"@app.on_after_finalize.connect\ndef add(sender, **kwargs):\n    {more}"
    code, said = shop("--check", more=more)
    assert code == 1
    assert said.startswith("added: an interval of -1 seconds")


def test_an_impossible_date_is_named_when_add_periodic_task_gets_it(shop):
    more = 'app.add_periodic_task(\n    crontab(0, 3, "*", 31, 2), bill.s(), name="added")'
    code, said = shop("--check", more=more)
    assert code == 1
    assert said.startswith("added: ValueError: Invalid crontab")
    assert 'crontab(0, 3, "*", 31, 2)' in said


def test_a_schedule_that_raises_is_named(shop):
    code, said = shop("--check", entry='"schedule": Broken()', source=BROKEN)
    assert code == 1
    assert said == "the-entry: it cannot say when it runs next: ZeroDivisionError: by zero.\n"


# The rules, as other tools use them


def test_each_rule_has_a_name_a_sentence_and_a_schedule_that_breaks_it_alone(tmp_path, monkeypatch):
    """Two mistakes that hide each other would be found one after the other only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shops = [{"entry": entry} for entry, _ in BAD.values()]
    shops += [{"zone": "Europe/Pari"}, {"entry": '"schedule": Broken()', "source": BROKEN}]
    broken = set()
    for parts in shops:
        try:
            app = load(write_shop(tmp_path, **parts))
        except CannotBuild:
            continue  # Celery itself has refused it
        found = [rule.name for rule in RULES if list(rule.find(app))]
        if parts.get("zone"):
            assert found[0] == "zone-exists", "no crontab can be asked without a zone"
            found = found[:1]
        assert len(found) == 1, parts
        broken |= set(found)
    assert broken == {rule.name for rule in RULES}
    assert all(rule.sentence.endswith(".") and "\n" not in rule.sentence for rule in RULES)


# What the calendar prints


def test_the_calendar_shows_other_zones(shop):
    code, said = shop("--start", "2027-01-01", "--days", "1", "--zone", "Asia/Tokyo")
    assert code == 0
    assert "Fri 01 Jan 2027  11:00     the-entry" in said, "3:00 in Paris"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('"schedule": 0.5, "options": {"expires": 1}', "every 0.5 seconds, 172,800 a day"),
        ('"schedule": 60, "options": {"expires": 60}', "every minute, 1,440 a day"),
        ('"schedule": timedelta(hours=36)', "every 36 hours\n"),
        ('"schedule": crontab(minute="*/15", hour="9-16")', "up to 32 a day"),
    ],
)
def test_frequent_entries_take_one_line(shop, entry, words):
    _, said = shop(entry=entry)
    assert [words in line + "\n" for line in said.splitlines()].count(True) == 1


def test_what_beat_adds_by_itself_is_shown(shop, monkeypatch):
    monkeypatch.delenv("CELERY_RESULT_BACKEND", raising=False)
    _, said = shop("--start", "2027-01-01", "--days", "1")
    assert "Fri 01 Jan 2027  04:00     celery.backend_cleanup  celery.backend_cleanup" in said
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://localhost:6379/0")
    _, said = shop("--start", "2027-01-01", "--days", "1")
    assert "backend_cleanup" not in said, "Redis forgets results by itself"


def test_a_picture_is_drawn(shop, tmp_path):
    code, said = shop("--out", "calendar.png", "--start", "2027-03-20")
    assert code == 0 and said.endswith("\nThe picture is in calendar.png.\n")
    assert (tmp_path / "calendar.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_schedule_is_no_error(shop):
    code, said = shop(source=SHOP + "\napp.conf.beat_schedule = {{}}\napp.conf.result_expires = 0")
    assert code == 0
    assert said.endswith("Nothing is scheduled.\n")


# What it says when it cannot


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-A", "nowhere"], "There is no app 'nowhere' in "),
        (["-A", "json"], "There is no app 'json' in "),
        (["-A", "json:dumps"], "'json:dumps' is a function, and no Celery app."),
        (["-A", "lab.cli:nothing"], "There is no app 'lab.cli:nothing' in "),
        ([], "Missing option '-A' / '--app'"),
        (["-A", ""], "There is no app '' in "),
        (["-A", "shop", "--zone", "Europe/Pari"], "there is no time zone 'Europe/Pari'"),
        (["-A", "shop", "--zone", "../etc/passwd"], "there is no time zone '../etc/passwd'"),
        (["-A", "shop", "--days", "0"], "0 is not in the range"),
        (["-A", "shop", "--start", "tomorrow"], "'tomorrow' does not match"),
    ],
)
def test_bad_input_gets_a_clear_sentence(words, said):
    code, output = calendar(*words)
    assert code in (1, 2)
    assert said in output


@pytest.mark.parametrize("out", ["nowhere/calendar.png", "calendar.xyz"])
def test_a_picture_that_cannot_be_written_gets_a_clear_sentence(shop, out):
    code, said = shop("--out", out)
    assert code == 1
    assert "There is no picture: " in said


def test_a_bad_schedule_is_not_shown_but_sent_to_the_check(shop):
    code, said = shop(entry='"schedule": -5')
    assert code == 1
    assert "First fix the schedule (the-entry):  lab calendar -A shop" in said


def test_an_app_whose_own_imports_fail_says_which(shop):
    code, said = shop("--check", source="import nowhere_at_all\n")
    assert code == 1
    assert "No module named 'nowhere_at_all'" in said


def test_an_app_with_a_mistake_says_where(shop):
    code, said = shop("--check", source="x = 1\ny = 1 / 0\n")
    assert code == 1
    assert "division by zero" in said and "line 2: y = 1 / 0" in said


def test_an_app_that_is_no_python_says_where(shop):
    code, said = shop("--check", source="x = (\n")
    assert code == 1
    assert "was never closed" in said
