"""RedBeat: entries that change while it runs, and two processes of which one sends."""

import random
import re
import sys
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner
from conftest import CHAPTER, wait_until_idle

from lab import Bench
from lab.bench import celery, wait_until

LOCK, LOOP, INTERVAL = 15, 1, 0.5  # seconds
FAST = {
    "clock/schedule.py": ('"schedule": 5.0,', f'"schedule": {INTERVAL},'),
    "clock/celery.py": ("redbeat_lock_timeout = 25", f"redbeat_lock_timeout = {LOCK}"),
}
SENDS = "Scheduler: Sending due task"


def in_fast_motion(bench):
    """A copy of the clock that looks at its schedule every second."""
    folder = bench.copy(FAST)
    settings = folder / "clock" / "celery.py"
    text = settings.read_text()
    assert "beat_max_loop_interval = 5" in text
    settings.write_text(text.replace("max_loop_interval = 5", f"max_loop_interval = {LOOP}"))
    return folder


@pytest.fixture
def fast(bench, redis):
    return in_fast_motion(bench)


def redbeat(bench, folder, ready="beat: Acquired lock", level="INFO"):
    options = ("--loglevel", level, "--scheduler", "clock.redbeat:Scheduler")
    return bench.process("redbeat", celery("clock", "beat", *options), cwd=folder, ready=ready)


@pytest.fixture
def entries(redis):
    """`lab entries`, in this process: returns the exit code and what it prints."""
    from lab.cli import entries

    def run(*words):
        result = CliRunner().invoke(entries, ["-A", "clock", *words])
        error = result.exception
        assert error is None or isinstance(error, SystemExit), error
        return result.exit_code, result.output

    return run


# Entries


@pytest.mark.takes(20)
def test_entries_change_while_beat_runs(bench, fast, entries):
    beat = redbeat(bench, fast)
    tick = f"{SENDS} tick (clock.tasks.heartbeat)"

    def is_sent():
        before = beat.log().count(tick)
        wait_until(lambda: beat.log().count(tick) >= before + 2, "no tick", log=beat.log)

    def heartbeats(more):
        before = beat.log().count(f"{SENDS} heartbeat")
        wait_until(
            lambda: beat.log().count(f"{SENDS} heartbeat") >= before + more,
            "it sent nothing at all",
            log=beat.log,
        )

    def is_not_sent():
        heartbeats(2)  # what it had read before the change is sent now
        before = beat.log().count(tick)
        heartbeats(4)
        return beat.log().count(tick) == before

    assert entries("add", "tick", "clock.tasks.heartbeat", "--every", "0.5")[0] == 0
    is_sent()
    assert entries("pause", "tick")[0] == 0
    assert is_not_sent()
    assert "paused" in entries("list")[1]
    assert entries("resume", "tick")[0] == 0
    is_sent()
    code, said = entries("change", "tick", "--cron", "0 3 * * *")
    assert code == 0 and "<crontab: 0 3 * * *" in said
    assert is_not_sent()
    assert entries("change", "tick", "--every", "0.5")[0] == 0
    is_sent()

    beat.stop()
    beat = redbeat(bench, fast)
    is_sent()  # it has survived the end of beat
    assert entries("remove", "tick") == (0, "tick is removed.\n")
    assert is_not_sent()
    assert "tick" not in entries("list")[1]
    beat.stop()


def test_the_list_shows_what_comes_and_where_it_stands(bench, redis, fast, entries):
    assert entries("list") == (0, "There are no entries. Start RedBeat once, or add one.\n")
    assert entries("add", "mine", "clock.tasks.heartbeat", "--cron", "0  3 * * *")[0] == 0
    redbeat(bench, fast).stop()
    code, said = entries("list")
    assert code == 0
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert set(lines) == {
        *("heartbeat", "reminders", "clean-up", "morning-list", "weekly-digest", "mine")
    }
    assert "03:00:00  in Redis     clock.tasks.heartbeat  <crontab: 0 3 * * *" in lines["mine"]
    assert "17:03:00  in the code  clock.tasks.digest" in lines["weekly-digest"]
    assert re.search(r"Sun \d\d \w{3} 17:03:00", lines["weekly-digest"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add tick clock.tasks.heartbea --every 1", "Do you mean 'clock.tasks.heartbeat'?"),
        ("add tick clock.tasks.heartbeat", "Say when: --every 30 (seconds), or --cron"),
        ("add tick clock.tasks.heartbeat --every 1 --cron 0", "One of them."),
        ("add tick clock.tasks.heartbeat --every -1", "an interval of -1 seconds"),
        ("add tick clock.tasks.heartbeat --every nan", "--every nan: write a number of seconds"),
        ("add tick clock.tasks.heartbeat --every soon", "'soon' is not a valid float"),
        ("add tick clock.tasks.heartbeat --cron 0_3", "write minute, hour, day, month and"),
        ("add tick clock.tasks.heartbeat --cron 0_3_31_2_*", "31' never occurs"),
        ("add tick clock.tasks.heartbeat --cron 0_3_*_*_someday", "weekday literal 'someday'"),
        ("add tick clock.tasks.heartbeat --cron *_3_*_*_*", "60 times an hour"),
        ("add tick clock.tasks.heartbeat --every 60 --args [1]", "arguments do not fit"),
        ("add tick clock.tasks.heartbeat --every 60 --args {", "{ is not JSON in []."),
        ("add tick clock.tasks.heartbeat --every 60 --expires 0", "0.0 is not in the range"),
        ("add :lock clock.tasks.heartbeat --every 60", "':lock' is no good name"),
        ("add heartbeat clock.tasks.heartbeat --every 60", "There is an entry heartbeat already"),
        ("pause heartbeat", "heartbeat stands in the code"),
        ("remove clean-up", "clean-up stands in the code"),
        ("change tick --every 60", "There is no entry tick."),
        ("resume tick", "There is no entry tick."),
    ],
)
def test_bad_input_gets_a_clear_sentence_and_changes_nothing(redis, entries, words, said):
    code, output = entries(*(word.replace("_", " ") for word in words.split()))
    assert code in (1, 2)
    assert said in output
    assert not list(redis.scan_iter("redbeat*"))


def test_business_days_keep_their_holidays_in_redbeat(bench, redis):
    from redbeat import RedBeatSchedulerEntry
    from redbeat.schedulers import ensure_conf

    from clock.business_days import BusinessDays
    from clock.celery import app
    from clock.redbeat import Entry

    ensure_conf(app)
    written = app.conf.beat_schedule["morning-list"]
    key = Entry("morning-list", written["task"], written["schedule"], app=app).save().key
    theirs = RedBeatSchedulerEntry.from_key(key, app=app).schedule
    assert not isinstance(theirs, BusinessDays), "RedBeat by itself forgets the class"
    assert isinstance(Entry.from_key(key, app=app).schedule, BusinessDays)


# When Redis is away


@pytest.mark.takes(20)
def test_redbeat_ends_when_redis_goes_away_and_waits_for_it_when_it_starts():
    with Bench(CHAPTER) as bench:
        beat = redbeat(bench, CHAPTER)
        # Before its first message it has no connection to send by, and would ask for one for ever.
        beat.wait_for(SENDS, timeout=60)
        bench.broker.kill()
        assert beat.wait(60) == 1, "it ends: somebody has to start it again"
        beat = redbeat(bench, CHAPTER, ready="Retrying Redis connection", level="DEBUG")
        bench.broker.start()
        beat.wait_for("beat: Acquired lock", timeout=60)
        wait_until(lambda: bench.broker.client.llen("celery"), "nothing is sent", log=beat.log)
        wait_until_idle(beat)
        assert beat.stop() == 0


# Two processes


def add_ticks(bench, fast):
    """An entry whose effect is keyed by its due time: a digest every half second."""
    words = ["add", "tick", "clock.tasks.digest", "--every", INTERVAL, "--expires", 3600]
    words += ["--kwargs", '{"due": "{due}"}']
    process = bench.run(
        [sys.executable, "-m", "lab.cli", "entries", "-A", "clock", *words], cwd=fast
    )
    assert process.returncode == 0, process.log()


def ticks(beats):
    """When the processes sent ticks, in order of time, by their logs."""
    pattern = re.compile(rf"^\[(.*?),(\d+):.*{SENDS} tick", re.M)
    return sorted(
        datetime.fromisoformat(f"{when}.{fraction}")
        for beat in beats
        for when, fraction in pattern.findall(beat.log())
    )


def digests(worker):
    """What the digests returned: True for the first with its due time, False for a second one."""
    return re.findall(r"clock\.tasks\.digest\[.*\] succeeded in .*: (True|False)", worker.log())


def worked_off(bench, worker):
    """Whether the worker has done all that was sent."""
    redis = bench.broker.client
    if redis.llen("celery") or redis.hlen("unacked") or not worker.answers():
        return False
    log = worker.log()  # read last: what was in the queue before is in it now
    done = log.count("] succeeded") + log.count("Discarding revoked task")
    return log.count("] received") == done


def take_over(bench, kills, wait):
    """Kill the active process so many times, and start another one each time.

    `wait` is called before each kill. Returns all processes and the worker.
    """
    fast = in_fast_motion(bench)
    worker = bench.worker("clock", cwd=fast)
    add_ticks(bench, fast)
    active = redbeat(bench, fast)
    beats = [active]
    for _ in range(kills):
        standby = redbeat(bench, fast, ready="beat: Starting...")
        beats.append(standby)
        wait(active)
        assert SENDS not in standby.log(), "two of them send"
        active.kill()
        standby.wait_for("beat: Acquired lock", timeout=60)
        standby.wait_for(f"{SENDS} tick", timeout=60)
        active = standby
    wait(active)
    active.stop()
    wait_until(lambda: worked_off(bench, worker), "the worker is not done", log=worker.log)
    return beats, worker


@pytest.mark.takes(40)
def test_two_times_the_active_process_is_killed_and_the_other_takes_over():
    def some_ticks(active):
        before = len(ticks([active]))
        wait_until(lambda: len(ticks([active])) >= before + 3, "no ticks", log=active.log)

    with Bench(CHAPTER) as bench:
        beats, worker = take_over(bench, kills=2, wait=some_ticks)
        sent, results = len(ticks(beats)), digests(worker)
        keys = list(bench.broker.client.scan_iter("clock:digest:*"))
    # beat notes a run before it sends it: killed in between, it has sent nothing.
    assert sent - 2 <= len(results) <= sent
    assert results.count("True") == len(keys), "one effect for each due time"
    assert results.count("False") == 0, "no due time was sent twice"


@pytest.mark.soak
def test_ten_kills_at_random_moments(capsys):
    dice = random.Random(4)

    def a_moment(active):
        active.wait_for(f"{SENDS} tick")
        time.sleep(dice.uniform(2, 6))  # the random moment itself, not a wait for something

    with Bench(CHAPTER) as bench:
        beats, worker = take_over(bench, kills=10, wait=a_moment)
        sent, results = ticks(beats), digests(worker)
        keys = list(bench.broker.client.scan_iter("clock:digest:*"))
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    interval = timedelta(seconds=INTERVAL)
    missed = sum(max(0, round(gap / interval) - 1) for gap in gaps)
    bound = timedelta(seconds=LOCK + LOOP + INTERVAL)
    with capsys.disabled():
        print(f"\n10 kills: {len(sent)} ticks logged, {len(results)} ran, {missed} missed,")
        print(f"{results.count('False')} sent twice, {len(sent) - len(results)} logged, not sent,")
        print(f"longest gap {max(gaps).total_seconds():.1f} s, bound {bound.total_seconds():.1f} s")
        print(
            "gaps of the takeovers:",
            *(f"{gap.total_seconds():.1f}" for gap in gaps if gap > 3 * interval),
        )
    keys = list(bench.broker.client.scan_iter("clock:digest:*"))
    assert results.count("True") == len(keys), "one effect for each due time"
