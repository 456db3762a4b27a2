"""The bench: what it starts is real, private, and gone afterwards."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import redis

from lab import Bench
from lab.bench import (
    WORKER_READY,
    Broker,
    Died,
    NoServer,
    TooLate,
    free_port,
    server_binary,
    wait_until,
    whole_lines,
)
from lab.chapters import ROOT
from tests.leftovers import gone, hears_signals, still_there

CHAPTER = "01-first-steps"


# A bench in a process of its own, which says where its folder is and then does not end.
SLEEPER = """
import time
from lab import Bench
with Bench("01-first-steps") as bench:
    bench.worker("contact_sheet", concurrency=2)
    bench.process("sleeper", ["sleep", "1000"])
    print(bench.folder, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def sleeper():
    """A running bench in another process: the process and the folder of its bench."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hears_signals,
    )
    folder = Path(process.stdout.readline().strip())
    wait_until(
        lambda: len(still_there(folder)) == 5,
        "there were not a broker, a worker, two pool processes and a sleeper",
    )
    yield process, folder
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_nothing_outlives_a_bench_that_is_killed(sleeper, number):
    process, folder = sleeper
    process.send_signal(number)
    process.wait(timeout=60)
    wait_until(lambda: gone(folder), "the bench left something behind")


def test_nothing_outlives_a_failing_test():
    with pytest.raises(ZeroDivisionError), Bench(CHAPTER) as bench:
        bench.worker("tasks")
        bench.process("deaf", ["sh", "-c", "trap '' TERM INT; sleep 1000"])
        raise ZeroDivisionError
    wait_until(lambda: gone(bench.folder), "the bench left something behind")


def test_a_stopped_process_ends_with_its_bench():
    """SIGSTOP: it could not react to anything, but SIGKILL needs no reaction."""
    with Bench(CHAPTER) as bench:
        worker = bench.worker("tasks")
        worker.send_group(signal.SIGSTOP)
    wait_until(lambda: gone(bench.folder), "the bench left something behind")


def test_a_bench_leaves_this_process_as_it_was():
    environ, path = dict(os.environ), list(sys.path)
    with Bench(CHAPTER) as bench:
        import tasks

        assert os.environ["CELERY_BROKER_URL"] == bench.broker.url
        assert tasks.app.connection().as_uri().startswith("redis://")
    assert dict(os.environ) == environ
    assert sys.path == path
    assert "tasks" not in sys.modules, "the next bench must import a fresh app"


@pytest.mark.filterwarnings("error::celery.exceptions.DuplicateTaskNameWarning")
def test_the_next_bench_calls_a_shared_task_of_its_own():
    """Celery keeps each for every app to come: one of a bench that is over could be called."""
    for _ in range(3):
        with Bench("03-flask"):
            import mailroom
            from mailroom import tasks

            app = mailroom.create_app().extensions["celery"]
            called = inspect.unwrap(app.tasks["mailroom.tasks.send_mail"].run)
            assert called.__globals__ is vars(tasks)


def test_each_bench_has_a_broker_of_its_own():
    with Bench(CHAPTER) as one, Bench(CHAPTER) as other:
        one.broker.client.set("whose", "one")
        assert other.broker.client.get("whose") is None
        assert one.broker.port != other.broker.port


def test_a_broker_listens_on_this_machine_only():
    with Bench(CHAPTER) as bench:
        assert bench.broker.client.config_get("bind") == {"bind": "127.0.0.1"}


def test_a_broker_whose_port_is_taken_tries_another(monkeypatch):
    with Bench(CHAPTER) as one:
        ports = [one.broker.port, one.broker.port]
        from lab.bench import broker

        fresh = broker.free_port
        monkeypatch.setattr(broker, "free_port", lambda: ports.pop() if ports else fresh())
        with Bench(CHAPTER) as other:
            assert other.broker.port != one.broker.port
            assert other.broker.client.info("server")["process_id"] == other.broker.pid


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be shared")
def test_a_free_port_is_given_to_nobody_else_before_our_server_listens_there():
    """To bind, to close and to hope was a race that twenty tests side by side lost now and then."""
    port = free_port()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        socket.create_connection(("127.0.0.1", port)).close()
    assert len({free_port() for _ in range(500)}) == 500


def test_a_server_is_there_when_it_answers():
    with Bench(CHAPTER) as bench:
        server = bench.serve([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"])
        with urllib.request.urlopen(server.url) as answer:
            assert answer.status == 200


def test_a_server_that_dies_is_not_waited_for():
    with Bench(CHAPTER) as bench, pytest.raises(Died, match="before it answered"):
        bench.serve([sys.executable, "-c", "print('no page for {address}')"])


def test_workers_that_start_side_by_side_are_awaited_together():
    with Bench(CHAPTER) as bench:
        workers = [bench.worker("contact_sheet", wait=False) for _ in range(2)]
        bench.all_ready()
        assert all(WORKER_READY in worker.log() for worker in workers)


def test_a_broker_that_was_killed_comes_back_on_its_port_with_what_it_saved():
    with Bench(CHAPTER, broker_options={"appendonly": "yes", "appendfsync": "always"}) as bench:
        port = bench.broker.port
        bench.broker.client.set("order", "42")
        bench.broker.kill()
        with pytest.raises(redis.ConnectionError):
            bench.broker.client.get("order")
        bench.broker.start()
        assert (bench.broker.port, bench.broker.client.get("order")) == (port, "42")


def test_the_chosen_server_is_the_one_that_runs(monkeypatch):
    monkeypatch.setenv("LAB_REDIS_SERVER", "/no/such/server")
    with pytest.raises(NoServer, match=r"names /no/such/server, which is not a program"):
        server_binary()
    with pytest.raises(NoServer), Bench(CHAPTER):
        pass


def test_killing_a_worker_kills_its_pool_processes():
    with Bench(CHAPTER) as bench:
        worker = bench.worker("tasks", concurrency=2)
        pool = wait_until(lambda: worker.pool() if len(worker.pool()) == 2 else None, "no pool")
        worker.kill()
        assert worker.returncode == -signal.SIGKILL
        wait_until(lambda: not worker.pool(), f"pool processes {pool} live on")


def test_stopping_a_worker_is_its_warm_shutdown():
    with Bench(CHAPTER) as bench:
        worker = bench.worker("tasks")
        assert worker.stop() == 0
        assert "worker: Warm shutdown (MainProcess)" in worker.log()


def test_a_worker_that_cannot_start_is_quoted():
    with Bench(CHAPTER) as bench, pytest.raises(Died) as died:
        bench.worker("no_such_module")
    assert "worker1 ended with exit code" in str(died.value)
    assert "The module no_such_module was not found." in str(died.value)


def test_a_wait_that_fails_quotes_the_log():
    with Bench(CHAPTER) as bench:
        words = ["sh", "-c", "echo I am here; sleep 100"]
        talker = bench.process("talker", words, ready="I am here")
        with pytest.raises(TooLate) as late:
            talker.wait_for("gone", timeout=1)
    assert "Waited 1 s, but talker did not say 'gone'." in str(late.value)
    assert "    I am here" in str(late.value)


def test_beat_starts_and_leaves_no_schedule_in_the_chapter():
    before = set((ROOT / CHAPTER).iterdir())
    with Bench(CHAPTER) as bench:
        beat = bench.beat("tasks")
        wait_until(lambda: list(bench.folder.glob("celerybeat-schedule*")), "no schedule file")
        assert beat.running
    left = {path for path in set((ROOT / CHAPTER).iterdir()) - before if path.name != "__pycache__"}
    assert not left


def crowd(count: int, timeout: float) -> None:
    """So many benches with a worker each, in so many processes, in the same second."""
    script = SLEEPER.replace("print(bench.folder", "print(bench.folder, bench.broker.port")
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        start = time.monotonic()
        said = [process.stdout.readline().split() for process in processes]
        print(f"{count} benches were ready after {time.monotonic() - start:.1f} s")
        assert time.monotonic() - start < timeout
        assert len({port for _, port in said}) == count, "two benches share a broker"
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for folder, _ in said:
        wait_until(lambda: gone(Path(folder)), f"{folder} is still there")  # noqa: B023


def test_three_benches_start_at_once():
    crowd(3, timeout=100)


@pytest.mark.soak
def test_twenty_benches_start_at_once():
    crowd(20, timeout=100)


def test_a_broker_cannot_be_reached_by_a_bench_that_did_not_start_it():
    """A port that somebody else took in between is never used: the broker asks who answers."""
    with Bench(CHAPTER) as bench, pytest.raises(Died):
        Broker(
            folder=bench.folder / "second",
            env=bench.env,
            guard=bench._guard_input,
            port=bench.broker.port,
        )


def test_of_a_file_that_somebody_writes_only_whole_lines_are_read(tmp_path):
    """A line can be met half written."""
    ledger = tmp_path / "ledger.jsonl"
    assert whole_lines(ledger) == []
    ledger.write_text('{"at": 1}\n{"at"')
    assert whole_lines(ledger) == ['{"at": 1}']
    with ledger.open("a") as file:
        file.write(": 2}\n")
    assert whole_lines(ledger) == ['{"at": 1}', '{"at": 2}']
