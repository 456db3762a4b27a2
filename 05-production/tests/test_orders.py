"""The orders on the disk: whole or not at all, once, and nothing else among them."""

import json
import multiprocessing
import os
import signal
import time

import pytest
from serving import ORDER, new_id

NO_IDS = [
    *("", ".", "..", "../orders", "../../etc/passwd", "/etc/passwd", "accepted", "x" * 100_000),
    *("a" * 31, "a" * 33, "A" * 32, "g" * 32, "٣" * 32, "a" * 31 + "\n", "a" * 32 + "\n"),
    *("a" * 32 + "/", "a" * 31 + "\0", "a" * 32 + " (copy)", "%2e%2e%2f" * 3),
]
PARALLEL = multiprocessing.get_context("fork")


def in_processes(work, count: int) -> list:
    """Call `work(number)` in so many processes, at the same moment. Returns what they return."""
    start, answers = PARALLEL.Barrier(count), PARALLEL.Queue()

    def one(number: int) -> None:
        start.wait()
        answers.put((number, work(number)))

    processes = [PARALLEL.Process(target=one, args=(n,), daemon=True) for n in range(count)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    return [answer for _, answer in sorted(found)]


# A file is whole, or it is not there


def test_an_order_is_kept_as_it_was_placed(here):
    order_id = new_id()
    assert here.orders.accept(order_id, ORDER)
    assert here.orders.facts(order_id, "accepted") == ORDER
    assert here.orders.state(order_id) == "accepted"
    assert [file.name for file in (here.folder / order_id).iterdir()] == ["accepted.json"]


def test_an_order_is_on_the_disk_when_accept_returns(here, monkeypatch):
    """First its text, then its name, and the name of its folder."""
    reached, sizes, fsync = [], {}, os.fsync

    def note(descriptor):
        named = (here.folder / order_id / "accepted.json").exists()
        about = os.fstat(descriptor)
        reached.append((about.st_ino, named))
        sizes[about.st_ino] = about.st_size
        fsync(descriptor)

    order_id = new_id()
    monkeypatch.setattr(os, "fsync", note)
    here.orders.accept(order_id, ORDER)
    folder = here.folder / order_id
    text, name = (folder / "accepted.json").stat().st_ino, folder.stat().st_ino
    assert (text, False) in reached, "The text must be on the disk before the file has its name."
    assert sizes[text] == len(json.dumps(ORDER)), "Not all of the text was on the disk."
    assert (name, True) in reached, "The name of the file did not reach the disk."
    assert here.folder.stat().st_ino in dict(reached), "The folder's name did not reach the disk."


def test_a_process_that_dies_while_it_writes_leaves_no_order(here, monkeypatch):
    order_id = new_id()

    def die(number):
        monkeypatch.setattr(os, "link", lambda *names: os.kill(os.getpid(), signal.SIGKILL))
        here.orders.accept(order_id, ORDER)

    process = PARALLEL.Process(target=die, args=(0,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert any((here.folder / order_id).iterdir()), "It died too early: this test proves nothing."
    assert list(here.orders.all_ids()) == []
    assert here.orders.facts(order_id, "accepted") is None
    with pytest.raises(KeyError):
        here.orders.state(order_id)
    assert here.orders.accept(order_id, ORDER), "The customer asks again, and is served."
    assert list(here.orders.all_ids()) == [order_id]


def test_what_cannot_be_written_is_not_there(here):
    order_id = here.order()
    with pytest.raises(TypeError):
        here.orders.record(order_id, "charged", receipt=object())
    assert [file.name for file in (here.folder / order_id).iterdir()] == ["accepted.json"]


# It is written once


def test_of_many_processes_that_take_one_order_one_is_the_first(here):
    ids = [new_id() for _ in range(30)]

    def take(number):
        return [here.orders.accept(order_id, ORDER | {"copies": number}) for order_id in ids]

    answers = in_processes(take, 8)
    for order_id, firsts in zip(ids, zip(*answers, strict=True), strict=True):
        assert firsts.count(True) == 1, f"{firsts.count(True)} of 8 processes were the first."
        kept = here.orders.facts(order_id, "accepted")
        assert kept == ORDER | {"copies": firsts.index(True)}, "Another one's order was kept."


def test_who_reads_while_others_write_finds_all_or_nothing(here):
    ids = [new_id() for _ in range(50)]
    large = ORDER | {"photo": "x" * 100_000}

    def work(number):
        if number < 2:
            for order_id in ids:
                here.orders.accept(order_id, large)
            return None
        seen, until = set(), time.monotonic() + 60
        while len(seen) < len(ids) and time.monotonic() < until:
            for order_id in here.orders.all_ids():  # raises when it reads half a file
                assert here.orders.facts(order_id, "accepted") == large
                seen.add(order_id)
        return seen

    assert in_processes(work, 4)[2:] == [set(ids), set(ids)]


def test_what_has_happened_is_recorded_once(here):
    order_id = here.order()
    assert here.orders.record(order_id, "charged", receipt="R1")
    first = here.orders.facts(order_id, "charged")
    assert not here.orders.record(order_id, "charged", receipt="R2")
    assert here.orders.facts(order_id, "charged") == first
    assert first["receipt"] == "R1" and abs(time.time() - first["at"]) < 60


def test_an_order_is_not_taken_a_second_time(here):
    order_id = here.order()
    assert not here.orders.accept(order_id, ORDER | {"copies": 99})
    assert here.orders.facts(order_id, "accepted") == ORDER


# Ids come from outside


@pytest.mark.parametrize("order_id", NO_IDS, ids=lambda each: repr(each)[:20])
def test_what_is_no_id_is_refused_and_touches_nothing(here, order_id):
    for call in (
        lambda: here.orders.folder_of(order_id),
        lambda: here.orders.accept(order_id, ORDER),
        lambda: here.orders.record(order_id, "charged"),
        lambda: here.orders.facts(order_id, "accepted"),
        lambda: here.orders.state(order_id),
        lambda: here.orders.put_off(order_id, 1),
    ):
        with pytest.raises(KeyError):
            call()
    assert not here.folder.exists()


def test_an_order_that_nobody_placed_has_no_state(here):
    with pytest.raises(KeyError):
        here.orders.state(new_id())


def test_what_else_lies_in_the_folder_is_no_order(here):
    assert list(here.orders.all_ids()) == [], "There is no folder yet."
    order_id = here.order()
    (here.folder / new_id()).mkdir()
    (here.folder / new_id()).write_text("a file with the name of an order")
    (here.folder / ".DS_Store").write_text("")
    (here.folder / "statement-2026-01-01-000000.json").write_text("{}")
    for name in (f"{order_id} (copy)", f"{order_id}.bak", order_id.upper() + "X", "new folder"):
        (here.folder / name).mkdir()
        (here.folder / name / "accepted.json").write_text(json.dumps(ORDER))
    (here.folder / order_id / "failed (copy).json").write_text("{}")
    assert list(here.orders.all_ids()) == [order_id]
    assert list(here.orders.unfinished(0)) == [order_id]
    assert here.orders.state(order_id) == "accepted"


# States


def test_the_state_is_the_last_step(here):
    order_id = here.order()
    for step in ("charged", "printed", "confirmed"):
        here.orders.record(order_id, step)
        assert here.orders.state(order_id) == step


@pytest.mark.parametrize("steps", [(), ("charged",), ("charged", "printed")])
def test_an_order_that_has_failed_has_failed(here, steps):
    order_id = here.order(*steps, "failed")
    assert here.orders.state(order_id) == "failed"
    here.age(order_id, 1000)
    assert list(here.orders.unfinished(60)) == [], "Somebody has to look at it first."


# What stands still


@pytest.mark.parametrize("steps", [(), ("charged",), ("charged", "printed")])
def test_an_order_stands_still_when_nothing_has_happened_for_so_long(here, steps):
    order_id = here.order(*steps)
    assert list(here.orders.unfinished(60)) == [], "It is new."
    here.age(order_id, 61)
    assert list(here.orders.unfinished(60)) == [order_id]
    assert list(here.orders.unfinished(120)) == []


def test_a_step_that_was_done_just_now_counts(here):
    order_id = here.order()
    here.age(order_id, 1000)
    here.orders.record(order_id, "charged")
    assert list(here.orders.unfinished(60)) == []


def test_an_order_that_has_come_to_its_end_does_not_stand_still(here):
    here.age(here.order("charged", "printed", "confirmed"), 1000)
    assert list(here.orders.unfinished(60)) == []


def test_an_order_that_was_put_off_does_not_stand_still(here):
    order_id = here.order()
    here.age(order_id, 1000)
    here.orders.put_off(order_id, 100)
    assert list(here.orders.unfinished(0)) == []
    here.age(order_id, 90)
    assert list(here.orders.unfinished(0)) == [], "Ten seconds are left."
    here.age(order_id, 20)
    assert list(here.orders.unfinished(0)) == [order_id]
    assert list(here.orders.unfinished(60)) == []
    assert here.orders.facts(order_id, "accepted") == ORDER


# A statement


def test_a_statement_counts_the_orders_by_state(here):
    for steps in ((), ("charged",), ("charged",), ("failed",)):
        here.order(*steps)
    here.statement.make_statement.apply(throw=True)
    [statement] = here.folder.glob("statement-*.json")
    assert json.loads(statement.read_text()) == {"accepted": 1, "charged": 2, "failed": 1}
    assert len(list(here.orders.all_ids())) == 4
