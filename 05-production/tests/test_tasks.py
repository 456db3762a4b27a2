"""The steps of an order at three levels: functions, tasks in this process, and a real worker."""

import json
import os
import pickle
import socket
import threading
import time
from contextlib import suppress
from email.utils import formatdate

import httpx
import pytest
from serving import ORDER, SECONDS, InShop, new_id

from lab.bench import free_port, wait_until

TOO_MANY = {"error": "Too many requests."}
DAY = 24 * 3600


def retry_after(value: object) -> tuple:
    """An answer of the provider: come again then."""
    return 429, {} if value is None else {"Retry-After": str(value)}, TOO_MANY


# Functions: what an answer of the provider means


def outcome(here, *script: object, card: str = "tok_visa") -> tuple[str, str, float]:
    """What `payments.charge` does with such an answer: its name, what it says, how long to wait."""
    try:
        return "charged", here.payments.charge(new_id(), 90, card), 0
    except here.payments.TryLater as error:
        return "TryLater", str(error), error.wait
    except here.payments.Declined as error:
        return "Declined", str(error), 0


@pytest.mark.parametrize(
    ("answer", "what", "said", "wait"),
    [
        ("", "charged", "R000001", 0),
        ("slow", "charged", "R000001", 0),
        ((200, {}, {"receipt": "R7"}), "charged", "R7", 0),
        ("500", "TryLater", "500 Internal Server Error", 0),
        ((502, {}, "<html>"), "TryLater", "502 Bad Gateway", 0),
        ((503, {}, ""), "TryLater", "503 Service Unavailable", 0),
        ("dropped", "TryLater", "no answer: RemoteProtocolError", 0),
        ("429", "TryLater", "too many requests", 1),
        (retry_after(7), "TryLater", "too many requests", 7),
        (retry_after(None), "TryLater", "too many requests", 1),
        (retry_after(formatdate(usegmt=True)), "TryLater", "too many requests", 1),
        (retry_after(DAY), "TryLater", "too many requests", 180),
        ((402, {}, {"error": "No money."}), "Declined", "No money.", 0),
        ((400, {}, {"error": "What?"}), "Declined", "What?", 0),
        ((409, {}, {"error": "Another charge."}), "Declined", "Another charge.", 0),
    ],
    ids=lambda each: str(each)[:40],
)
def test_an_answer_of_the_provider_decides(here, provider, answer, what, said, wait):
    provider.script["tok_visa"] = [answer]
    found = outcome(here)
    assert (found[0], found[2]) == (what, wait)
    assert found[1].startswith(said)


def test_a_provider_that_is_not_there_is_asked_later(here, monkeypatch):
    monkeypatch.setattr(here.payments, "PROVIDER", f"http://127.0.0.1:{free_port()}")
    what, said, _ = outcome(here)
    assert what == "TryLater" and said.startswith("no answer: ConnectError")


def test_a_provider_that_says_nothing_is_not_waited_for_for_ever(here, provider, monkeypatch):
    """It is charged all the same: the shop does not know it, and asks again with the same key."""
    monkeypatch.setattr(here.payments, "TIMEOUT", httpx.Timeout(5, read=0.2))
    gate = threading.Event()  # it answers when the shop has gone
    provider.script["tok_visa"] = [lambda: gate.wait(SECONDS) and ""]
    what, said, _ = outcome(here)
    gate.set()
    assert what == "TryLater" and said.startswith("no answer: ReadTimeout")
    wait_until(provider.ledger_lines, "the card was not charged")


def test_nothing_is_waited_for_without_a_limit(here):
    limits = here.payments.TIMEOUT.as_dict()
    assert all(limits.values()), f"A timeout is missing: {limits}"
    assert sum(limits.values()) < here.tasks.app.conf.task_soft_time_limit


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        *((None, 1), ("", 1), ("0", 0), ("1", 1), ("120", 120), ("180", 180)),
        *(("181", 180), ("86400", 180), ("9" * 5000, 180)),
        *(("-5", 1), ("1.5", 1), ("soon", 1), ("5 ", 1), ("٣", 1), ("²", 1), ("1e3", 1)),
        *(("inf", 1), ("nan", 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1)),
    ],
    ids=lambda each: str(each)[:20],
)
def test_how_long_to_wait(here, header, wait):
    assert here.payments.seconds(header) == wait


def test_a_wait_is_shorter_than_the_visibility_timeout(here):
    """Else the message comes back while it waits, and there are two of it."""
    visible = here.tasks.app.conf.broker_transport_options["visibility_timeout"]
    assert visible > here.payments.LONGEST + 60


def test_the_reason_survives_its_way_to_the_worker(here):
    """An exception goes from the pool process to the worker as a pickle."""
    error = pickle.loads(pickle.dumps(here.payments.TryLater("too many", 7)))  # noqa: S301
    assert (str(error), error.wait) == ("too many", 7)


def test_the_key_is_the_order_in_every_attempt(here, provider):
    order_id = new_id()
    provider.script["tok_visa"] = ["500", "dropped"]
    for _ in range(2):
        with pytest.raises(here.payments.TryLater):
            here.payments.charge(order_id, 90, "tok_visa")
    assert here.payments.charge(order_id, 90, "tok_visa") == "R000001"
    assert [key for key, _ in provider.asked] == [order_id] * 3
    assert provider.charged(order_id) == 1


# Tasks in this process


def test_apply_charges_and_sends_the_next_step(here, provider):
    order_id = here.order(copies=3)
    here.tasks.charge.apply([order_id], throw=True)
    assert provider.ledger_lines() == [
        {"receipt": "R000001", "key": order_id, "cents": 135, "card": "tok_visa"}
    ]
    assert here.orders.facts(order_id, "charged")["receipt"] == "R000001"
    assert here.sent() == [("normal", "print_photos", order_id)]


def test_apply_prints_and_sends_the_next_step(here):
    order_id = here.order("charged")
    here.tasks.print_photos.apply([order_id], throw=True)
    [print_] = here.spool.glob("*")
    assert json.loads(print_.read_text()) == {"photo": ORDER["photo"], "copies": ORDER["copies"]}
    assert here.orders.state(order_id) == "printed"
    assert here.sent() == [("urgent", "confirm", order_id)]


def test_apply_confirms_and_sends_nothing_more(here):
    order_id = here.order("charged", "printed")
    here.tasks.confirm.apply([order_id], throw=True)
    assert here.orders.facts(order_id, "confirmed")["text"].endswith("Receipt R1.")
    assert here.sent() == []


@pytest.mark.parametrize("step", ["charge", "print_photos", "confirm"])
def test_apply_does_a_step_once_that_is_sent_twice(here, provider, step):
    before = {"charge": (), "print_photos": ("charged",), "confirm": ("charged", "printed")}
    order_id = here.order(*before[step])
    getattr(here.tasks, step).apply([order_id], throw=True)
    files = {file: file.read_text() for file in here.folder.parent.rglob("*.json*")}
    getattr(here.tasks, step).apply([order_id], throw=True)
    assert {file: file.read_text() for file in here.folder.parent.rglob("*.json*")} == files
    assert len(provider.asked) == (step == "charge"), "The provider was asked for nothing."


@pytest.mark.parametrize("step", ["charge", "print_photos", "confirm"])
@pytest.mark.parametrize("steps", [(), ("charged",), ("charged", "printed")], ids=len)
def test_apply_leaves_an_order_alone_that_has_failed(here, provider, step, steps):
    order_id = here.order(*steps, "failed")
    getattr(here.tasks, step).apply([order_id], throw=True)
    assert here.orders.state(order_id) == "failed"
    assert here.orders.facts(order_id, "confirmed") is None
    assert (provider.asked, here.sent(), here.spool.exists()) == ([], [], False)


@pytest.mark.parametrize("steps", [("charged", "printed"), ("charged", "printed", "confirmed")])
def test_apply_of_a_step_that_comes_late_sends_what_is_next(here, provider, steps):
    """So a message more does no harm, and one that was lost is made up for."""
    order_id = here.order(*steps)
    here.tasks.charge.apply([order_id], throw=True)
    here.tasks.print_photos.apply([order_id], throw=True)
    confirm = [("urgent", "confirm", order_id)] * 2
    assert here.sent() == ([] if "confirmed" in steps else confirm)
    assert (provider.asked, here.spool.exists()) == ([], False)


def test_apply_prints_nothing_that_is_not_paid(here):
    order_id = here.order()
    here.tasks.print_photos.apply([order_id], throw=True)
    here.tasks.confirm.apply([order_id], throw=True)
    assert here.orders.state(order_id) == "accepted" and not here.spool.exists()


def test_apply_tries_a_charge_again(here, provider):
    """In this process nobody waits between two attempts. The key is the same in all of them."""
    order_id = here.order()
    provider.script["tok_visa"] = ["500", "dropped", "429", "slow"]
    here.tasks.charge.apply([order_id])
    assert here.orders.state(order_id) == "charged"
    assert provider.charged(order_id) == 1
    assert [key for key, _ in provider.asked] == [order_id] * 4, "A slow answer is an answer."


def test_apply_gives_up_after_ten_retries_and_keeps_the_reason(here, provider):
    order_id = here.order()
    provider.script["tok_visa"] = ["500"] * 20
    here.tasks.charge.apply([order_id])
    assert len(provider.asked) == 11, "once, and ten retries"
    assert here.orders.state(order_id) == "failed"
    assert "500 Internal Server Error" in here.orders.facts(order_id, "failed")["reason"]
    assert provider.ledger_lines() == [] and here.sent() == []


def test_apply_keeps_that_a_card_was_declined_and_does_not_try_again(here, provider):
    order_id = here.order(card="tok_declined")
    here.tasks.charge.apply([order_id], throw=True)
    failed = here.orders.facts(order_id, "failed")
    assert (failed["step"], failed["reason"]) == (
        "printshop.tasks.charge",
        "The card was declined.",
    )
    assert len(provider.asked) == 1 and here.sent() == []


def test_apply_never_charges_what_was_declined(here, provider):
    """The bank has thought better of it, and then a message comes that was late."""
    order_id = here.order()
    provider.script["tok_visa"] = [(402, {}, {"error": "No."})]
    for _ in range(3):
        here.tasks.charge.apply([order_id], throw=True)
    assert here.orders.state(order_id) == "failed"
    assert provider.ledger_lines() == [] and len(provider.asked) == 1


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [("500", 0, 1), ("429", 1, 2), (retry_after(120), 120, 121), (retry_after(DAY), 180, 181)],
    ids=["500", "429", "in two minutes", "in a day"],
)
def test_apply_puts_an_order_off_that_waits(here, provider, answer, least, most):
    order_id = here.order()
    seen = []

    def look():
        """The second attempt is made: how long should the first one have waited?"""
        file = here.folder / order_id / "accepted.json"
        seen.append((file.stat().st_mtime - before, time.time() - before))

    provider.script["tok_visa"] = [answer, look]
    before = time.time()
    here.tasks.charge.apply([order_id])
    [(until, took)] = seen
    assert least - 0.1 <= until <= most + took
    assert here.orders.state(order_id) == "charged"


def test_apply_of_a_stranger_fails_and_keeps_nothing(here, provider):
    for order_id in (new_id(), "../../etc/passwd"):
        with pytest.raises(KeyError):
            here.tasks.charge.apply([order_id], throw=True)
    assert not here.folder.exists() and provider.asked == []


def test_what_could_not_be_done_is_not_written_down(here, monkeypatch):
    """A step acts first. Killed before it has written that down, it acts again: with one key."""

    def die(*arguments):
        raise OSError("killed here")

    order_id = here.order()
    monkeypatch.setattr(here.payments, "charge", die)
    with pytest.raises(OSError):
        here.tasks.charge.apply([order_id], throw=True)
    assert here.orders.facts(order_id, "charged") is None and here.sent() == []
    order_id = here.order("charged")
    monkeypatch.setattr(here.tasks, "write_once", die)
    with pytest.raises(OSError):
        here.tasks.print_photos.apply([order_id], throw=True)
    assert here.orders.facts(order_id, "printed") is None and here.sent() == []


def test_a_broker_that_hangs_up_is_tried_once(here):
    """A customer waits meanwhile. Celery tries four times, if nobody says otherwise."""
    order_id, visits = here.order(), []

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                connection, address = broker.accept()
                visits.append(address)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as broker:
        threading.Thread(target=hang_up, daemon=True).start()
        url = f"redis://127.0.0.1:{broker.getsockname()[1]}/0"
        code = f"from printshop.tasks import proceed; proceed({order_id!r})"
        said = here.bench.python(code, env=here.env | {"CELERY_BROKER_URL": url})
        broker.shutdown(socket.SHUT_RDWR)  # it wakes who accepts
    assert f"Order {order_id} waits." in said
    assert len(visits) == 1, f"The broker was tried {len(visits)} times."


def test_the_photos_take_their_time(here, monkeypatch):
    slept = []
    monkeypatch.setattr(here.tasks.time, "sleep", slept.append)
    here.tasks.print_photos.apply([here.order("charged", copies=7)], throw=True)
    assert slept == [7 * here.tasks.SECONDS_PER_COPY]


# A real worker


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [
        ([], 1),
        (["500"], 2),
        (["dropped"], 2),
        (["slow"], 1),
        (["429"], 2),
        ([retry_after(2)], 2),
        ([retry_after(None)], 2),
        ([retry_after(formatdate(time.time() + DAY, usegmt=True))], 2),
        (["500", "dropped", "429"], 4),
    ],
    ids=["no fault", "500", "dropped", "slow", "429", "2 s", "no header", "a date", "three faults"],
)
def test_a_worker_charges_once_whatever_the_provider_does(shop, answers, attempts):
    order = InShop(shop).answers(*answers).place().wait_for("confirmed")
    assert shop.obedient.charged(order.id) == 1
    assert shop.obedient.attempts(order.card) == attempts
    assert {key for key, body in shop.obedient.asked if body["card"] == order.card} == {order.id}
    assert order.facts("confirmed")["text"].endswith(f"{order.facts('charged')['receipt']}.")

    def states() -> list[str]:
        return [run.state for run in order.runs("charge")]

    # A confirmation can be out before the process that charged has said that it is done.
    wait_until(lambda: "SUCCESS" in states(), "it goes on charging", log=order.logs)
    assert states() == ["RETRY"] * (attempts - 1) + ["SUCCESS"]


def test_a_worker_comes_again_when_the_provider_says(shop):
    order = InShop(shop).answers(retry_after(3)).place().wait_for("confirmed")
    first, second = order.runs("charge")
    assert second.started - first.started > 2.99


def test_an_order_that_waits_for_its_retry_does_not_stand_still(shop, here, monkeypatch):
    monkeypatch.setattr(here.orders, "ORDERS", shop.home / "orders")
    order = InShop(shop).answers(retry_after(DAY)).place()
    wait_until(lambda: [run.state for run in order.runs("charge")] == ["RETRY"], "it does not wait")
    assert order.state == "accepted"
    assert order.id not in here.reconcile.reconcile(0), "It was sent again, and waits already."
    assert order.id not in {sent for *_, sent in here.sent()}
    here.age(order.id, 241)
    assert order.id in here.reconcile.reconcile(0), "Its time has come, and it was not sent."
    assert ("urgent", "charge", order.id) in here.sent()


def test_a_worker_leaves_an_order_alone_that_was_declined(shop):
    """The bank has thought better of it. Then messages come that were late."""
    order = InShop(shop).answers((402, {}, {"error": "No money."})).place().wait_for("failed")
    late = [("charge", "urgent"), ("print_photos", "normal"), ("confirm", "urgent")]
    sent = {order.send(*each) for each in late}
    wait_until(
        lambda: sent <= {run.id for run in shop.bench.timeline().runs if run.ended},
        "the late messages did not come",
        timeout=SECONDS,
        log=order.logs,
    )
    assert order.state == "failed" and order.facts("failed")["reason"] == "No money."
    assert shop.obedient.charged(order.id) == 0 and shop.obedient.attempts(order.card) == 1
    assert not (shop.home / "spool" / f"{order.id}.json").exists()
    assert order.runs("charge")[-1].state == "SUCCESS"


def test_an_answer_that_nobody_understands_is_a_dead_letter(shop):
    order = InShop(shop).answers((200, {}, "<html>")).place().wait_for("failed")
    assert order.facts("failed")["step"] == "printshop.tasks.charge"
    assert "TypeError" in order.facts("failed")["reason"]


# Everything twice, and at the same time. In this copy nobody gives a file its name before a
# second one is about to do the same.
TOGETHER = {
    "printshop/store.py": (
        "        try:\n            os.link(file.name, path)\n",
        """        if path.name != "accepted.json":
            here = path.parent / f".{path.name}.here"
            here.mkdir(exist_ok=True)
            (here / str(os.getpid())).touch()
            until = time.monotonic() + 60
            while len(os.listdir(here)) < 2 and time.monotonic() < until:
                time.sleep(0.01)
        try:
            os.link(file.name, path)
""",
    )
}


def test_each_step_that_two_workers_do_at_the_same_time_happens_once(another_shop):
    edit = {name: (old, f"        import time\n\n{new}") for name, (old, new) in TOGETHER.items()}
    shop = another_shop(edit, workers=2)
    order = InShop(shop).keep()
    for _ in range(2):
        order.send("charge", "urgent")
    order.wait_for("confirmed")
    for what in ("charged", "printed", "confirmed"):
        both = list((shop.home / "orders" / order.id / f".{what}.json.here").iterdir())
        assert len(both) == 2, f"Only one process had {what!r} to write. This test proves nothing."
    assert len(list((shop.home / "spool" / f".{order.id}.json.here").iterdir())) == 2
    assert shop.obedient.charged(order.id) == 1
    assert shop.obedient.attempts(order.card) == 2, "Both have asked, with one key."
    receipt = shop.obedient.ledger_lines()[0]["receipt"]
    assert order.facts("charged")["receipt"] == receipt
    assert order.facts("confirmed")["text"].endswith(f"{receipt}.")
    assert len(list((shop.home / "spool").glob("[!.]*"))) == 1


# A photo that kills every process which opens it, and one that takes too long.
POISON = {
    "printshop/tasks.py": (
        """@app.task(max_retries=3, default_retry_delay=5)
def print_photos(order_id: str) -> None:
    \"\"\"Print the photos of an order that is paid.\"\"\"
    order = orders.facts(order_id, "accepted")
""",
        """@app.task(max_retries=3, default_retry_delay=0)
def print_photos(order_id: str) -> None:
    order = orders.facts(order_id, "accepted")
    if order["photo"] == "poison.jpg":
        os.kill(os.getpid(), 9)
    if order["photo"] == "endless.jpg":
        time.sleep(600)
""",
    )
}


@pytest.fixture(scope="module")
def poisoned():
    """A shop for orders that harm their worker."""
    from serving import CHAPTER, open_shop

    from lab import Bench

    with Bench(CHAPTER) as bench:
        yield open_shop(bench, folder=bench.copy(POISON))


def test_a_photo_that_kills_its_process_is_tried_four_times_and_kept(poisoned):
    poison = InShop(poisoned, photo="poison.jpg").place()
    healthy = InShop(poisoned).place().wait_for("confirmed")
    poison.wait_for("failed")
    assert [run.retries for run in poison.runs("print_photos")] == [0, 1, 2, 3]
    failed = poison.facts("failed")
    assert failed["step"] == "printshop.tasks.print_photos"
    assert failed["reason"].startswith("WorkerLostError(")
    assert (healthy.state, poisoned.obedient.charged(poison.id)) == ("confirmed", 1)
    wait_until(lambda: not poisoned.bench.xray().unacked, "its message is still in unacked")
    assert not any(poisoned.bench.xray().lengths.values())


def test_a_photo_that_takes_too_long_is_kept_with_the_reason(poisoned):
    order = InShop(poisoned, photo="endless.jpg").keep("charged")
    order.send("print_photos", "normal", soft_time_limit=1)
    order.wait_for("failed")
    assert order.facts("failed")["reason"] == "SoftTimeLimitExceeded()"
    assert len(order.runs("print_photos")) == 1, "To try again takes as long."


def test_a_worker_lives_through_a_stranger(shop):
    """A message for an order that is none fails, and the next one is served."""
    stranger = InShop(shop)
    stranger.id = "../../etc/passwd"
    sent = stranger.send("charge", "urgent")
    wait_until(lambda: sent in shop.bench.timeline().errors, "no error", timeout=SECONDS)
    assert "KeyError" in shop.bench.timeline().errors[sent]
    InShop(shop).place().wait_for("confirmed")
    assert not os.path.exists(shop.home / "etc")
