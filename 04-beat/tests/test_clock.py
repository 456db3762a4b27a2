"""The clock's tasks at three levels: functions, tasks in this process, tasks through a worker.

And what they stand on: the lock, the list of reminders, the alarm.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from click.testing import CliRunner

from lab.bench import wait_until

DUE = "2026-12-20T17:03:00+01:00"
NOBODY = "redis://127.0.0.1:9/0"  # nobody ever listens on port 9


def upload(folder, name, days):
    """A file that came so many days ago."""
    path = folder / name
    path.write_text("a photo")
    when = time.time() - days * 24 * 3600
    os.utime(path, (when, when))
    return path


def run(main, *words):
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def everything_ran(bench, worker):
    """Whether the queue is empty, and the worker has done all it took."""
    waits = bench.broker.client.llen("celery") or bench.broker.client.hlen("unacked")
    ends = ("] succeeded", "] raised", "Discarding revoked task")
    log = worker.log()
    return not waits and log.count("] received") == sum(log.count(end) for end in ends)


# Clean-up: the function


def test_clean_up_deletes_what_is_older_and_nothing_else(tasks):
    old = upload(tasks.UPLOADS, "old", days=31)
    new = upload(tasks.UPLOADS, "new", days=29)
    assert tasks.clean_up(days=30) == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_clean_up_leaves_what_lies_elsewhere(tasks, tmp_path):
    precious = upload(tmp_path, "precious", days=1000)
    (tasks.UPLOADS / "link").symlink_to(precious)
    (tasks.UPLOADS / "folder").symlink_to(tmp_path)
    (tasks.UPLOADS / "loop").symlink_to("loop")
    inside = tasks.UPLOADS / "album"
    inside.mkdir()
    os.utime(inside, (0, 0))
    for name in ("link", "folder", "loop"):
        os.utime(tasks.UPLOADS / name, (0, 0), follow_symlinks=False)
    assert tasks.clean_up(days=30) == 3, "the links"
    assert precious.exists() and inside.exists()


@pytest.mark.parametrize("days", [0, -1])
def test_clean_up_refuses_to_delete_what_has_just_come(tasks, days):
    new = upload(tasks.UPLOADS, "new", days=0)
    with pytest.raises(ValueError, match="has just come"):
        tasks.clean_up(days=days)
    assert new.exists()


def test_clean_up_without_its_folder_fails_loudly(tasks, monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "UPLOADS", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        tasks.clean_up(days=30)
    assert not tasks.redis.exists("clock:lock:clean-up"), "the lock is free again"


# The tasks in this process


def test_a_task_in_this_process_runs_through_apply(tasks):
    upload(tasks.UPLOADS, "old", days=31)
    assert tasks.clean_up.apply(kwargs={"days": 30}).get() == 1
    assert tasks.heartbeat.apply().successful()
    assert tasks.redis.exists("clock:heartbeat")


def test_a_refused_run_is_expected_and_no_accident(tasks):
    from clock.lock import Taken, only_one

    assert tasks.clean_up.throws == (Taken,)
    with only_one("clean-up", seconds=60):
        refused = tasks.clean_up.apply(kwargs={"days": 30})
    assert isinstance(refused.result, Taken)
    assert tasks.clean_up.apply(kwargs={"days": 30}).get() == 0


def test_the_digest_counts_the_uploads_of_its_week(tasks):
    end = datetime.fromisoformat(DUE)
    for name, before in {"a": 0.1, "b": 6.9, "c": 7.1, "d": -0.1}.items():
        path = upload(tasks.UPLOADS, name, days=0)
        when = (end - timedelta(days=before)).timestamp()
        os.utime(path, (when, when))
    assert tasks.digest.apply(args=[DUE]).get() is True
    said = tasks.redis.get(f"clock:digest:{DUE}")
    assert said == "2 new uploads in the week until 20 December 17:03"


def test_a_digest_is_written_once_per_due_time(tasks):
    other = "2026-12-27T17:03:00+01:00"
    written = [tasks.digest.apply(args=[due]).get() for due in (DUE, DUE, other, DUE, other)]
    assert written == [True, False, True, False, False]


def test_a_digest_that_does_not_know_its_due_time_fails(tasks):
    from clock.scheduler import DUE as unknown

    with pytest.raises(ValueError, match="Invalid isoformat"):
        tasks.digest.apply(args=[unknown]).get()


def test_the_morning_list_says_what_comes_today(tasks, caplog):
    from clock import remind

    paris = tasks.app.timezone
    remind.add(datetime(2027, 3, 17, 9, tzinfo=paris), "Order paper")
    remind.add(datetime(2027, 3, 18, 9, tzinfo=paris), "Order ink")
    now = datetime(2027, 3, 17, 8, 30, tzinfo=paris)
    with time_machine.travel(now), caplog.at_level("INFO"):
        tasks.morning_list.apply().get()
    assert "Today: 2027-03-17 09:00 Order paper" in caplog.text
    assert "ink" not in caplog.text


# The tasks through a worker


def test_a_heartbeat_through_a_worker_leaves_a_sign_of_life(tasks, worker):
    before = time.time()
    tasks.heartbeat.delay()
    last = wait_until(lambda: tasks.redis.get("clock:heartbeat"), "no heartbeat", log=worker.log)
    assert float(last) >= before


def test_ten_messages_with_one_due_time_write_one_digest(tasks, worker):
    due = "2027-01-03T17:03:00+01:00"
    ids = [tasks.digest.delay(due).id for _ in range(10)]
    wait_until(
        lambda: all(f"[{id}] succeeded" in worker.log() for id in ids),
        "not all ten ran",
        log=worker.log,
    )
    results = [
        f"[{id}] succeeded" in line and line.endswith("True")
        for line in worker.log().splitlines()
        for id in ids
    ]
    assert results.count(True) == 1, "one of them has written it"
    assert len(list(tasks.redis.scan_iter("clock:digest:*"))) == 1


def test_an_overlap_is_refused_in_one_line_without_a_traceback(tasks, worker):
    from clock.lock import only_one

    with only_one("clean-up", seconds=60):
        id = tasks.clean_up.delay(days=30).id
        worker.wait_for(f"[{id}] raised expected: Taken(")
    id = tasks.clean_up.delay(days=30).id
    worker.wait_for(f"[{id}] succeeded")
    assert "Traceback" not in worker.log()


# Reminders


def test_a_reminder_stays_on_the_list_until_it_is_due(tasks, worker):
    from clock import remind

    reminder = remind.add(datetime(2027, 3, 17, 9, tzinfo=tasks.app.timezone), "Order paper")
    with time_machine.travel(datetime(2027, 3, 17, 7, 59, 59, tzinfo=UTC)):
        tasks.send_reminders()
    assert remind.until(datetime(2028, 1, 1, tzinfo=UTC)) == [reminder]
    with time_machine.travel(datetime(2027, 3, 17, 8, 0, 0, tzinfo=UTC)):
        tasks.send_reminders()
    assert remind.until(datetime(2028, 1, 1, tzinfo=UTC)) == []
    wait_until(
        lambda: tasks.redis.get(f"clock:said:{reminder['id']}"), "it was not said", log=worker.log
    )


def test_two_dispatchers_at_once_remind_once_each(bench, tasks, worker):
    from clock import remind

    ids = [
        remind.add(datetime.now(UTC) - timedelta(seconds=1), f"Number {number}.")["id"]
        for number in range(40)
    ]
    code = "from clock.tasks import send_reminders; send_reminders()"
    dispatchers = [bench.start_python(code) for _ in range(2)]
    for each in dispatchers:
        assert each.wait(60) == 0, each.log()
    assert remind.until(datetime.now(UTC)) == []
    wait_until(
        lambda: all(tasks.redis.exists(f"clock:said:{id}") for id in ids),
        "not all were said",
        log=worker.log,
    )
    # What the second dispatcher has sent may still be under way.
    wait_until(lambda: everything_ran(bench, worker), "the worker is not done", log=worker.log)
    for number in range(40):
        assert worker.log().count(f"Reminder: Number {number}.") == 1


def test_a_reminder_is_not_lost_when_its_dispatcher_dies_in_between(
    bench, tasks, worker, monkeypatch
):
    from clock import remind

    remind.add(datetime.now(UTC) - timedelta(seconds=1), "Twice sent.")
    with monkeypatch.context() as patch:
        patch.setattr(remind, "forget", lambda reminder: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.send_reminders()
    tasks.send_reminders()
    assert remind.until(datetime.now(UTC)) == []
    worker.wait_for("Reminder: Twice sent.")
    wait_until(lambda: everything_ran(bench, worker), "the worker is not done", log=worker.log)
    assert worker.log().count("Reminder: Twice sent.") == 1


@pytest.mark.parametrize(
    ("at", "moment"),
    [
        ("2027-03-17 09:00", datetime(2027, 3, 17, 8, tzinfo=UTC)),  # on the studio's wall
        ("2027-07-17", datetime(2027, 7, 16, 22, tzinfo=UTC)),
        ("2027-03-17T09:00+00:00", datetime(2027, 3, 17, 9, tzinfo=UTC)),
        ("2027-10-31 02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # twice: the first time
    ],
)
@time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC))
def test_a_reminder_is_kept_for_its_date_and_time(redis, at, moment):
    from clock import remind

    code, said = run(remind.main, at, "Order paper")
    assert code == 0 and said.endswith(": Order paper\n")
    [(_, score)] = redis.zrange(remind.REMINDERS, 0, -1, withscores=True)
    assert score == moment.timestamp()


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("tomorrow", "'tomorrow' is not a date and a time"),
        ("2027-02-30 09:00", "'2027-02-30 09:00' is not a date and a time"),
        ("2027-03-28 02:30", "There is no 2027-03-28 02:30 in Europe/Paris"),
        ("2026-11-30 09:00", "2026-11-30 09:00 is over."),
    ],
)
@time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC))
def test_a_reminder_that_cannot_be_kept_gets_a_clear_sentence(redis, at, words):
    from clock import remind

    code, said = run(remind.main, at, "Order paper")
    assert code == 1 and words in said
    assert not redis.exists(remind.REMINDERS)


# The lock


def test_the_lock_lets_one_in_at_a_time(redis):
    from clock.lock import Taken, only_one

    with only_one("x", seconds=60):
        with pytest.raises(Taken), only_one("x", seconds=60):
            pytest.fail("two at once")
        assert redis.exists("clock:lock:x"), "who was refused has not released it"
        with only_one("y", seconds=60):
            pass
    assert not redis.exists("clock:lock:x")
    with only_one("x", seconds=60):
        pass


def test_the_lock_is_free_after_an_error(redis):
    from clock.lock import only_one

    with pytest.raises(ZeroDivisionError), only_one("x", seconds=60):
        1 / 0  # noqa: B018 on purpose
    assert not redis.exists("clock:lock:x")


def test_the_lock_frees_itself_when_its_holder_is_killed(bench, redis):
    from clock.lock import Taken, only_one

    holder = bench.start_python(
        "import time\n"
        "from clock.lock import only_one\n"
        "with only_one('x', seconds=600):\n"
        "    print('I have it', flush=True)\n"
        "    time.sleep(600)\n"
    )
    holder.wait_for("I have it")
    holder.kill()
    assert 0 < redis.pttl("clock:lock:x") <= 600_000, "nobody has released it, and it expires"
    with pytest.raises(Taken), only_one("x", seconds=60):
        pass
    redis.pexpire("clock:lock:x", 1)  # its time is over

    def free():
        try:
            with only_one("x", seconds=60):
                return True
        except Taken:
            return False

    wait_until(free, "the lock did not expire")


def test_who_was_too_slow_does_not_release_the_lock_of_another(redis, caplog):
    from clock.lock import only_one

    with only_one("x", seconds=0.1):
        wait_until(lambda: not redis.exists("clock:lock:x"), "the lock did not expire")
        redis.set("clock:lock:x", "the token of another")
    assert redis.get("clock:lock:x") == "the token of another"
    assert "x took longer than 0.1 s: another run may have begun" in caplog.text


# The alarm


def test_the_alarm_is_quiet_while_the_heart_beats(redis):
    from clock import alarm

    redis.set("clock:heartbeat", time.time() - 2)
    code, said = run(alarm.main, "--after", "15")
    assert code == 0 and said.startswith("The clock ticks: the last heartbeat is ")


def test_the_alarm_says_how_old_the_last_heartbeat_is(redis):
    from clock import alarm

    redis.set("clock:heartbeat", time.time() - 3600)
    code, said = run(alarm.main, "--after", "15")
    assert code == 1 and said.startswith("ALARM: the last heartbeat is 3,6")
    assert run(alarm.main, "--after", "7200")[0] == 0


def test_the_alarm_says_that_there_has_never_been_one(redis):
    from clock import alarm

    code, said = run(alarm.main)
    assert code == 1 and said.startswith("ALARM: there has never been a heartbeat.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clock.alarm"], "ALARM: Redis does not answer"),
        (["clock.remind", "2999-01-01", "x"], "Nothing is kept."),
        (["lab.cli", "entries", "-A", "clock", "list"], "Redis does not answer"),
    ],
)
def test_without_redis_a_command_says_so_in_one_sentence(bench, words, said):
    process = bench.run([sys.executable, "-m", *words], env={"REDIS_URL": NOBODY}, timeout=90)
    assert process.returncode == 1
    assert said in process.log() and "Traceback" not in process.log()
    assert len(process.log().splitlines()) == 1
