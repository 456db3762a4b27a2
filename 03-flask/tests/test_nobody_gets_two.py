"""Nobody gets a mail twice: a mail server with bad manners, and workers that are killed.

What counts is the ledger of the mail server: a line for each mail that it took.
"""

import csv
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from serving import SECONDS, Mailroom, people

from lab import Bench
from lab.bench import wait_until

CHAPTER = Path(__file__).parent.parent
RUDE = ["--later", "0.1", "--drop", "0.05", "--swallow", "0.03"]
OUTCOMES = ("sent", "failed", "unconfirmed")

# The mail server has the mail and has said 250, and the worker has written nothing down. Here it
# stands still until somebody kills it.
WINDOW = {
    "mailroom/tasks.py": (
        "        outcomes.sent(mailing, address)\n",
        "        __import__('pathlib').Path(current_app.config['WINDOW']).touch()\n"
        "        __import__('time').sleep(600)\n",
    )
}
NO_MARKER = {
    "mailroom/tasks.py": (
        "    if mailing.cancelled or not marker.begin(mailing, address):\n",
        "    marker.begin(mailing, address)\n    if mailing.cancelled:\n",
    )
}
HANGS_UP = {
    "mailserver.py": (
        "    async def handle_DATA(",
        "    async def handle_QUIT(self, server, session, envelope):\n"
        "        server.transport.abort()\n"
        "        return '221 bye'\n"
        "\n"
        "    async def handle_DATA(",
    )
}


@pytest.fixture(scope="module")
def room():
    """Web server, mail server and broker. Each test brings its own workers."""
    with Bench(CHAPTER) as bench:
        yield Mailroom(bench, workers=0, concurrency=1)


@pytest.fixture
def hire(room):
    """Hires workers that are gone after the test."""
    hired = []

    def one_more(folder=None, **settings):
        hired.append(room.hire(folder=folder, **settings))
        return hired[-1]

    yield one_more
    for worker in hired:
        if worker.running:
            worker.kill()


def addresses(lines: str) -> list[str]:
    return [line.split(",")[0] for line in lines.splitlines()]


def outcomes(room, path: str) -> dict[str, str]:
    """Address -> outcome, as the report of the mailing says."""
    rows = csv.DictReader(room.web.get(f"{path}/report.csv").text.splitlines())
    return {row["address"]: row["outcome"] for row in rows}


def waiting(room) -> set[str]:
    """The addresses in messages that wait in the queue, or that a worker has taken."""
    found = room.bench.xray()
    messages = [*found.queues.get("celery", []), *found.unacked]
    return {each.body[0][1] for each in messages if each.task.endswith("send_mail")}


def wait_for_mails(room, count: int) -> None:
    wait_until(
        lambda: len(room.ledger()) >= count,
        f"the mail server has not taken {count} mails",
        timeout=SECONDS,
        log=room.logs,
    )


def must_be_honest(room, path: str, everybody: list[str]) -> Counter[str]:
    """Nobody got two, and what the report says of everybody is true."""
    found, taken = outcomes(room, path), room.mails_by_address()
    assert {to: taken[to] for to in everybody if taken[to] > 1} == {}, "somebody got two"
    assert sorted(found) == sorted(everybody)
    for address, outcome in found.items():
        assert outcome in OUTCOMES, f"{address}: {outcome}"
        assert outcome != "sent" or taken[address], f"{address} is listed as sent: got nothing"
        assert outcome != "failed" or not taken[address], f"{address} is listed as failed: got it"
    return Counter(found.values())


@pytest.mark.takes(20)
def test_nobody_gets_two_when_servers_and_workers_die(open_mailroom):
    room = open_mailroom(mail=RUDE, RATE="100/second", RETRY_AFTER=1, STANDSTILL=5)
    lines = people(300)
    began = time.monotonic()
    path = room.start(lines)

    wait_for_mails(room, 50)
    room.worker.kill()
    room.hire()
    room.web.post(f"{path}/resume")
    wait_for_mails(room, 100)
    room.mail.kill()
    room.start_mail_server()
    wait_for_mails(room, 150)
    room.workers[-1].kill()
    room.hire()
    room.web.post(f"{path}/resume")

    pressed = 2

    def over() -> bool:
        nonlocal pressed
        status = room.status(path)
        if status["stands_still"]:
            room.web.post(f"{path}/resume")
            pressed += 1
        # A mail that a worker sends at this moment is unconfirmed while its message comes again.
        return status["over"] and not room.bench.xray().queues.get("celery")

    wait_until(over, "the mailing is not over", timeout=90, log=room.logs)
    found = must_be_honest(room, path, addresses(lines))
    print(f"{dict(found)}, {len(room.ledger())} mails taken, resumed {pressed} times,", end=" ")
    print(f"{time.monotonic() - began:.1f} s")
    assert found["sent"] > 200, room.logs()


@pytest.mark.parametrize("marker", [True, False], ids=["with the marker", "without the marker"])
def test_a_worker_dies_between_the_answer_and_the_record(room, hire, tmp_path, marker):
    here = tmp_path / "the worker is in the window"
    hire(room.bench.copy(WINDOW), WINDOW=here)
    everybody = addresses(lines := people(2))
    path = room.start(lines)
    wait_until(here.exists, "the worker did not come to the window", log=room.logs)
    [first] = {line["to"] for line in room.ledger()} & set(everybody)
    room.workers[-1].kill()
    assert room.status(path)["done"] == 0

    hire(None if marker else room.bench.copy(NO_MARKER))
    room.web.post(f"{path}/resume")
    status = room.wait_until_over(path)
    if marker:
        assert list(status["doubts"]) == [first]
        assert "died before it wrote down" in status["doubts"][first]
        assert must_be_honest(room, path, everybody) == {"sent": 1, "unconfirmed": 1}
        for _ in range(2):
            room.web.post(f"{path}/resume")
        wait_until(lambda: not room.bench.xray().queues.get("celery"), "the queue is not empty")
        assert must_be_honest(room, path, everybody) == {"sent": 1, "unconfirmed": 1}
    else:
        assert room.mails_by_address()[first] == 2, "without the marker there must be a double"


def test_a_message_that_comes_five_times_sends_one_mail(room, hire):
    from mailroom import create_app
    from mailroom.tasks import send_mail

    everybody = addresses(lines := people(3))
    path = room.start(lines)
    with create_app().app_context():
        for address in everybody * 5:
            send_mail.delay(path.rpartition("/")[2], address)
    for _ in range(2):
        hire(wait=False)
    room.wait_until_over(path)
    wait_until(lambda: not waiting(room) & set(everybody), "messages wait", log=room.logs)
    assert must_be_honest(room, path, everybody) == {"sent": 3}


def test_a_mail_server_that_hangs_up_after_its_answer_gets_no_mail_twice(room, hire):
    port, argv = room.mail_port, [sys.executable, "mailserver.py", "--ledger", room.ledger_file]
    room.mail.stop()
    argv += ["--port", str(port)]
    folder = room.bench.copy(HANGS_UP)
    server = room.bench.process("mail", argv, cwd=folder, ready="Taking mail")
    hire()
    everybody = addresses(lines := people(5))
    try:
        path = room.start(lines)
        assert room.wait_until_over(path)["sent"] == 5
        assert must_be_honest(room, path, everybody) == {"sent": 5}
    finally:
        server.kill()
        room.start_mail_server()


# A worker that stands still when it has queued the second page.
STANDS_STILL = {
    "mailroom/tasks.py": (
        "        queued += len(page)\n",
        "        queued += len(page)\n        __import__('time').sleep(600 * (queued >= 100))\n",
    )
}


def test_a_fan_out_that_was_killed_is_done_again_and_queues_everybody(open_mailroom):
    room = open_mailroom(PAGE=50, concurrency=1, workers=0)
    room.hire(folder=room.bench.copy(STANDS_STILL))
    everybody = set(addresses(lines := people(2000)))
    path = room.start(lines)

    def length() -> int:
        return room.bench.broker.client.llen("celery")

    wait_until(lambda: length() > 90, "nothing is queued", log=room.logs)
    room.worker.kill()
    queued = length()
    assert 90 < queued < 190, "the worker was not killed in the middle"

    # A worker with one process sends what is queued, and then does nothing but queue the others.
    room.hire(wait=False)
    room.web.post(f"{path}/resume")
    room.wait_for(path, "not everybody was queued", lambda now: now["queued"] == 2000, timeout=120)
    # A message goes from the queue to a worker, and its address into the report: in this order.
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.update(waiting(room))
        seen.update(to for to, outcome in outcomes(room, path).items() if outcome != "not sent")
        return seen == everybody

    wait_until(all_seen, "somebody was not queued", log=room.logs)
    room.workers[-1].kill()
    taken = room.mails_by_address()
    assert set(taken.values()) == {1}, "somebody got two"
    assert set(taken) <= everybody
    print(f"{queued} were queued when the worker was killed, {len(taken)} mails were taken.")
