"""beat as a process: what it sends, where its file is, who can ask it, a broker that is away."""

import dbm
import json
import re
import socket
import time
from base64 import b64decode
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from conftest import CHAPTER, wait_until_idle

from lab import Bench
from lab.bench import celery, wait_until

# The clock in fast motion.
FAST = {"clock/schedule.py": ('"schedule": 5.0,', '"schedule": 0.5,')}
# A digest that was refused: the task returns False.
REFUSED = re.compile(r"clock\.tasks\.digest\[.*\] succeeded in .*: False")
TICKS = """
from clock.celery import app
from clock.scheduler import DUE
from clock.tasks import digest

# Far below a second: every tick has a due time of its own.
app.conf.beat_schedule = {
    "tick": {"task": digest.name, "schedule": 0.3, "kwargs": {"due": DUE}},
}
"""


@pytest.fixture
def fast(bench, redis):
    redis.delete("celery")
    return bench.copy(FAST)


def start(bench, folder, *options, app="clock"):
    """A beat with a file of its own in the bench's folder."""
    options = options or ("--schedule", str(bench.folder / "celerybeat-schedule"))
    argv = celery(app, "beat", "--loglevel", "INFO", *options)
    return bench.process("beat", argv, cwd=folder, ready="Sending due task")


def sent(redis, task):
    """What waits in the queue for a task, the oldest first: headers and keyword arguments."""
    for raw in reversed(redis.lrange("celery", 0, -1)):
        message = json.loads(raw)
        if message["headers"]["task"] == task:
            _args, kwargs, _ = json.loads(b64decode(message["body"]))
            yield message["headers"], kwargs


def test_beat_sends_and_nobody_has_to_be_there_to_work(bench, redis, fast):
    beat = start(bench, fast)
    wait_until(lambda: redis.llen("celery") >= 3, "beat did not send", log=beat.log)
    beat.stop()
    ticks = list(sent(redis, "clock.tasks.heartbeat"))
    assert len(ticks) >= 2
    for headers, _ in ticks:
        assert headers["expires"] and headers["celery_beat_task"] is True


def test_a_beat_that_waits_is_stopped_with_exit_code_0(bench, redis):
    options = ("--schedule", str(bench.folder / "waits"), "--loglevel", "DEBUG")
    beat = start(bench, CHAPTER, *options)
    wait_until_idle(beat)
    assert beat.stop() == 0


def test_the_schedule_file_is_where_it_was_asked_for_and_nowhere_else(bench, redis, fast, tmp_path):
    beat = start(bench, fast, "--schedule", str(tmp_path / "beat"))
    beat.stop()
    # One file or three: that depends on the dbm that this Python has.
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {"beat"}
    assert not list(fast.glob("celerybeat-schedule*"))
    start(bench, fast, "--loglevel", "INFO").stop()
    assert list(fast.glob("celerybeat-schedule*")), "without -s: the folder where it was started"


def test_beat_answers_a_ping_by_its_name(bench, redis, fast):
    name = f"celerybeat@{socket.gethostname()}"
    ping = celery("clock", "inspect", "ping", "--destination", name, "--timeout")
    nobody = bench.run([*ping, "0.5"], cwd=fast)
    assert nobody.returncode != 0 and "No nodes replied" in nobody.log()
    beat = start(bench, fast)
    beat.wait_for("beat pidbox: Connected to")
    answer = bench.run([*ping, "10"], cwd=fast)
    assert answer.returncode == 0, answer.log()
    assert f"{name}: OK" in answer.log() and "pong" in answer.log()
    beat.stop()


def test_every_tick_knows_when_it_was_due(bench, redis, fast):
    (fast / "ticking.py").write_text(TICKS)
    beat = start(bench, fast, app="ticking")
    wait_until(lambda: redis.llen("celery") >= 4, "beat did not send", log=beat.log)
    beat.stop()
    dues = [kwargs["due"] for _, kwargs in sent(redis, "clock.tasks.digest")]
    assert dues == sorted(set(dues)), "each is another time, and they come in order"
    assert all(due.endswith(("+01:00", "+02:00")) for due in dues), "in the studio's zone"


def test_a_killed_beat_repeats_runs_and_their_digest_is_written_once(bench, redis, fast, worker):
    """beat writes its file after its first run, then every three minutes. It forgets the rest.

    A file of the kind dbm.ndbm (Debian's Python) reaches the disk only when beat ends. Then a
    killed beat forgets all, and begins again.
    """
    (fast / "ticking.py").write_text(TICKS)
    options = ("--schedule", str(bench.folder / "killed"))
    # The worker may still be at what another test has sent: at digests that were due before this.
    begin = f"clock:digest:{datetime.now(ZoneInfo('Europe/Paris')).isoformat()}"
    refused = len(REFUSED.findall(worker.log()))
    beat = start(bench, fast, *options, app="ticking")

    def digests():
        found = sorted(key for key in redis.scan_iter("clock:digest:*") if key > begin)
        return len(found) >= 3 and found

    digests = wait_until(digests, "there are no digests", log=worker.log)
    beat.kill()
    _first, second, *_ = digests
    redis.set(second, "written before the kill")
    beat = start(bench, fast, *options, app="ticking")
    if dbm.whichdb(str(bench.folder / "killed")) == "dbm.ndbm":
        ran = worker.log().count("clock.tasks.digest")
        wait_until(lambda: worker.log().count("clock.tasks.digest") > ran + 8, "no run came")
        assert len(REFUSED.findall(worker.log())) == refused
    else:
        wait_until(
            lambda: len(REFUSED.findall(worker.log())) > refused,
            "no run came again",
            log=worker.log,
        )
    beat.stop()
    assert redis.get(second) == "written before the kill"


@pytest.mark.takes(20)
def test_beat_goes_on_when_the_broker_was_away_for_ten_seconds():
    with Bench(CHAPTER) as bench:
        # Slow enough to be stopped while it waits.
        folder = bench.copy({"clock/schedule.py": ('"schedule": 5.0,', '"schedule": 3.0,')})
        options = ("--schedule", str(bench.folder / "celerybeat-schedule"), "--loglevel", "DEBUG")
        beat = start(bench, folder, *options)
        bench.broker.kill()
        away = time.monotonic()
        beat.wait_for("Message Error", timeout=60)
        wait_until(lambda: time.monotonic() - away > 10, "time stands still")
        assert beat.running
        bench.broker.start()
        queue = bench.broker.client
        wait_until(lambda: queue.llen("celery") >= 3, "beat did not send", timeout=60, log=beat.log)
        # What was due meanwhile is not made up for: one run of each entry, at most, is in flight.
        assert beat.running
        ping = celery("clock", "inspect", "ping", "--timeout", "2")
        wait_until(
            lambda: "pong" in bench.run(ping, cwd=folder).log(),
            "beat did not answer again",
            timeout=60,
            log=beat.log,
        )
        wait_until_idle(beat)
        assert beat.stop() == 0
