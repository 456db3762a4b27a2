"""The reconciler: it looks at the orders on the disk, and sends again what stands still."""

import signal
import sys

import pytest
from serving import SECONDS, InShop, new_id

from lab.bench import wait_until

NEXT = {
    (): ("urgent", "charge"),
    ("charged",): ("normal", "print_photos"),
    ("charged", "printed"): ("urgent", "confirm"),
}


@pytest.mark.parametrize("steps", NEXT, ids=["accepted", "charged", "printed"])
def test_the_next_step_of_an_order_that_stands_still_is_sent(here, steps):
    order_id = here.order(*steps)
    here.age(order_id, 100)
    assert here.reconcile.reconcile(60) == [order_id]
    assert here.sent() == [(*NEXT[steps], order_id)]


@pytest.mark.parametrize("steps", [("charged", "printed", "confirmed"), ("failed",)])
def test_an_order_that_has_ended_is_left_alone(here, steps):
    here.age(here.order(*steps), 100)
    assert here.reconcile.reconcile(0) == []
    assert here.sent() == []


def test_a_new_order_is_left_alone(here):
    here.order()
    assert here.reconcile.reconcile(60) == []
    assert here.sent() == []


def test_without_any_order_nothing_happens(here):
    assert here.reconcile.reconcile(0) == []
    assert not here.folder.exists()


def test_what_was_sent_again_has_as_much_time_as_before(here):
    """Else a queue that is long gets longer each second."""
    order_id = here.order()
    here.age(order_id, 100)
    assert here.reconcile.reconcile(60) == [order_id]
    assert here.reconcile.reconcile(60) == []
    assert len(here.sent()) == 1
    here.age(order_id, 61)
    assert here.reconcile.reconcile(60) == [order_id], "The new message was lost as well."


def test_an_order_that_was_put_off_and_is_late_is_sent(here):
    order_id = here.order()
    here.orders.put_off(order_id, 30)
    assert here.reconcile.reconcile(0) == []
    here.age(order_id, 100)
    assert here.reconcile.reconcile(60) == [order_id]


def test_what_is_no_order_does_not_stop_it(here):
    order_id = here.order()
    here.age(order_id, 100)
    (here.folder / new_id()).mkdir()
    (here.folder / new_id()).write_text("")
    (here.folder / "notes.txt").write_text("")
    assert here.reconcile.reconcile(60) == [order_id]


def test_without_a_broker_it_tries_later(here, caplog):
    orders = sorted(here.order() for _ in range(2))
    for order_id in orders:
        here.age(order_id, 100)
    here.bench.broker.kill()
    try:
        here.reconcile.reconcile(60)
    finally:
        here.bench.broker.start()
    waits = [record.getMessage() for record in caplog.records if record.name == "printshop.tasks"]
    assert all(f"Order {each} waits." in said for each, said in zip(orders, waits, strict=True))
    for order_id in orders:
        here.age(order_id, 100)
    assert here.reconcile.reconcile(60) == orders
    assert [sent for *_, sent in here.sent()] == orders


# The program


def test_the_program_says_what_it_has_sent(here):
    order_id = here.order("charged")
    here.age(order_id, 61)
    program = here.command("reconcile")
    assert program.returncode == 0, program.log()
    assert program.log() == f"{order_id} stood still at 'charged': sending again.\n"
    assert here.sent() == [("normal", "print_photos", order_id)]


def test_the_program_takes_a_minute_for_standing_still(here):
    here.age(here.order(), 50)
    assert here.invoke(here.reconcile).output == ""
    assert "stood still" in here.invoke(here.reconcile, "--older-than", "40").output


def test_the_program_looks_again_and_again(here):
    argv = [sys.executable, "-m", "printshop.reconcile", "--older-than", "60", "--every", "0.1"]
    program = here.bench.process("reconciler", argv, env=here.env)
    for _ in range(2):
        order_id = here.order()
        here.age(order_id, 61)
        program.wait_for(f"{order_id} stood still", timeout=SECONDS)
    program.send(signal.SIGINT)
    program.wait()
    assert "Traceback" not in program.log()
    assert program.log().count("stood still") == 2


# A real worker


@pytest.mark.parametrize("steps", NEXT, ids=["accepted", "charged", "printed"])
def test_an_order_whose_message_was_lost_is_finished(shop, here, steps):
    order = InShop(shop).keep(*steps)
    program = here.bench.run(
        [sys.executable, "-m", "printshop.reconcile", "--older-than", "0"],
        env=shop.env | {"CELERY_BROKER_URL": shop.bench.broker.url},
    )
    assert order.id in program.log(), program.log()
    order.wait_for("confirmed")
    assert shop.obedient.charged(order.id) == (not steps)


def test_the_memory_of_the_broker_is_lost_and_no_order_is(another_shop, here):
    """Redis starts again with nothing. Its queue was full of orders."""
    shop = another_shop(workers=0)
    orders = [InShop(shop).place() for _ in range(5)]
    assert shop.bench.xray().lengths["urgent"] == 5
    shop.bench.broker.kill()
    shop.bench.broker.start()
    assert not any(shop.bench.xray().lengths.values()), "Nothing was lost. This proves nothing."
    shop.start("reconciler", "printshop.reconcile", "--older-than", "1", "--every", "0.2")
    shop.workers.append(shop.hire())
    for order in orders:
        order.wait_for("confirmed")
    wait_until(lambda: shop.states()["confirmed"] == 5, "not all are confirmed")
    assert [shop.obedient.charged(order.id) for order in orders] == [1] * 5
