"""The X-ray shows what Redis holds."""

import io
import json
import os
import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from rich.console import Console

from lab import Bench
from lab.bench import wait_until
from lab.observe.xray import Result, Xray


@pytest.fixture
def bench():
    with Bench("01-first-steps") as bench:
        yield bench


def test_an_empty_redis_holds_nothing(bench):
    assert bench.xray().lengths == {}
    assert "Queues: none" in str(bench.xray())


def test_a_message_waits_in_its_queue_until_a_worker_takes_it(bench):
    from tasks import add

    first, second = add.delay(2, 3), add.delay(4, y=5)
    xray = bench.xray()
    assert xray.lengths == {"celery": 2}
    assert [message.id for message in xray.queues["celery"]] == [first.id, second.id]
    assert xray.queues["celery"][0].body[:2] == [[2, 3], {}]
    assert xray.bindings == {"celery": ["celery"]}
    assert "tasks.add" in str(xray)
    assert "4, **{'y': 5}" in str(xray)
    assert max(map(len, str(xray).splitlines())) <= 100

    bench.worker("tasks")
    second.get(timeout=60)
    xray = bench.xray()
    assert xray.lengths == {"celery": 0}
    assert {result.id: result.result for result in xray.results} == {first.id: 5, second.id: 9}
    assert all(86_000 < result.expires_in <= 86_400 for result in xray.results)


def test_in_a_narrow_window_the_arguments_are_cut_and_no_number_is():
    one = Result(str(uuid4()), "SUCCESS", result="long " * 20, expires_in=86399, done_at="")
    console = Console(width=80, file=io.StringIO())
    console.print(Xray(queues={}, unacked=[], bindings={}, results=[one]))
    said = console.file.getvalue()
    assert max(map(len, said.splitlines())) <= 80
    [row] = [line for line in said.splitlines() if one.id in line]
    assert "SUCCESS" in row and "86399 s" in row and "…" in row


def test_a_message_that_a_worker_holds_is_unacked(bench):
    """A stopped pool process cannot finish; the worker has taken the messages all the same."""
    from tasks import add

    worker = bench.worker("tasks")
    [pool_process] = worker.pool()
    os.kill(pool_process, signal.SIGSTOP)
    sent = [add.delay(1, 1) for _ in range(7)]
    # The worker takes four messages per pool process, and acknowledges one when a pool process
    # says that it begins. This one cannot say so.
    wait_until(lambda: len(bench.xray().unacked) == 4, "nothing was reserved")
    assert bench.xray().lengths == {"celery": 3}
    assert {message.task for message in bench.xray().unacked} == {"tasks.add"}
    assert len(sent) == 7


def test_priorities_are_lists_of_one_queue(bench):
    from tasks import add

    for priority in (9, 0, 5):
        add.apply_async((priority, 0), priority=priority)
    waiting = bench.xray().queues["celery"]
    assert [message.body[0][0] for message in waiting] == [0, 5, 9]


def test_other_peoples_keys_do_no_harm(bench):
    client = bench.broker.client
    client.rpush("shopping", "milk")
    client.hset("profile", "name", "Ada")
    assert bench.xray().lengths == {"shopping": 0}


def test_the_command_shows_it_and_says_when_nobody_answers(bench):
    from tasks import add

    add.delay(2, 3)
    command = [sys.executable, "-m", "lab.cli", "xray"]
    shown = subprocess.run(command, capture_output=True, text=True, env=bench.env)
    assert "tasks.add" in shown.stdout
    bench.broker.kill()
    strange = subprocess.run([*command, "--url", "foo"], capture_output=True, text=True)
    assert (strange.returncode, strange.stderr[:26]) == (1, "Error: No Redis answers at")
    refused = subprocess.run(command, capture_output=True, text=True, env=bench.env)
    assert refused.returncode == 1
    assert f"No Redis answers at {bench.broker.url}" in refused.stderr
    assert "lab broker" in refused.stderr


def test_ten_thousand_results_are_seen_in_a_few_round_trips(bench):
    """One look for each key took eleven seconds, and asked 300 times for 130 results."""
    client = bench.broker.client
    with client.pipeline() as pipe:
        for number in range(10_000):
            result = {"status": "SUCCESS", "result": number, "date_done": f"{number:05}"}
            pipe.set(f"celery-task-meta-{number}", json.dumps(result), ex=3600)
        pipe.execute()

    class Counting(type(client)):
        asked = 0

        def pipeline(self, **options):
            Counting.asked += 1
            return super().pipeline(**options)

        def execute_command(self, *words, **options):
            raise AssertionError(f"a question of its own: {words}")

    xray = Xray.of(Counting.from_url(bench.broker.url, decode_responses=True))
    assert Counting.asked <= 4
    assert [result.result for result in xray.results[:3]] == [9999, 9998, 9997]
    assert len(xray.results) == 10_000
    assert {result.expires_in for result in xray.results} <= set(range(3000, 3601))
