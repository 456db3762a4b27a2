"""Orders that have failed: they are kept with the reason, listed, and tried again."""

import json
import sys

import pytest
from serving import ORDER, InShop, new_id

UNKNOWN = ["a" * 32, "A" * 32, "x", "../../etc/passwd", "", "a" * 32 + "\n", "*"]


def failed(here, *steps: str, reason: str = "It rained.") -> str:
    order_id = here.order(*steps)
    here.orders.record(order_id, "failed", step="printshop.tasks.charge", reason=reason)
    return order_id


def listed(here) -> list[str]:
    said = here.invoke(here.dead_letters, "list")
    assert said.exit_code == 0, said.output
    return said.output.splitlines()


def replay(here, order_id: str) -> tuple[int, str]:
    said = here.invoke(here.dead_letters, "replay", order_id)
    return said.exit_code, said.output


# What is kept


def test_the_list_says_which_when_where_and_why(here):
    order_id = failed(here)
    here.order()
    here.order("charged", "printed", "confirmed")
    [line] = listed(here)
    assert line.startswith(f"{order_id}  20") and line.endswith(
        "  printshop.tasks.charge: It rained."
    )


def test_the_list_is_empty_when_nothing_has_failed(here):
    assert listed(here) == []
    here.order()
    assert listed(here) == []


def test_the_list_has_no_copies_in_it(here):
    order_id = failed(here)
    for name in (f"{order_id} (copy)", f"{order_id}.bak", "backup"):
        (here.folder / name).mkdir()
        for file in (here.folder / order_id).iterdir():
            (here.folder / name / file.name).write_text(file.read_text())
    (here.folder / order_id / "failed (copy).json").write_text("{")
    (here.folder / new_id()).write_text("")
    assert [line.split()[0] for line in listed(here)] == [order_id]


@pytest.mark.parametrize("step", ["charge", "print_photos", "confirm"])
def test_a_failure_of_the_next_step_is_kept(here, step):
    before = {"charge": (), "print_photos": ("charged",), "confirm": ("charged", "printed")}
    order_id, task = here.order(*before[step]), getattr(here.tasks, step)
    here.dead_letters.keep(sender=task, exception=ValueError("no paper"), args=[order_id])
    kept = here.orders.facts(order_id, "failed")
    assert (kept["step"], kept["reason"]) == (task.name, "ValueError('no paper')")


def test_the_first_reason_is_kept(here):
    order_id = here.order()
    for word in ("first", "second"):
        error = ValueError(word)
        here.dead_letters.keep(sender=here.tasks.charge, exception=error, args=[order_id])
    assert here.orders.facts(order_id, "failed")["reason"] == "ValueError('first')"


@pytest.mark.parametrize("steps", [("charged",), ("charged", "printed", "confirmed")])
def test_a_late_copy_of_a_step_that_is_done_has_not_failed(here, steps):
    """A message that came twice runs into its time limit. The order is on its way, or done."""
    order_id = here.order(*steps)
    error = ValueError("too late")
    here.dead_letters.keep(sender=here.tasks.charge, exception=error, args=[order_id])
    assert here.orders.state(order_id) == steps[-1]


def test_a_statement_that_fails_is_no_order(here):
    order_id = here.order()
    for args in ([], [order_id], ["x"]):
        error = ValueError("no ink")
        here.dead_letters.keep(sender=here.statement.make_statement, exception=error, args=args)
    assert here.orders.state(order_id) == "accepted"


# Once more


@pytest.mark.parametrize(
    ("steps", "state", "queue", "task"),
    [
        ((), "accepted", "urgent", "charge"),
        (("charged",), "charged", "normal", "print_photos"),
        (("charged", "printed"), "printed", "urgent", "confirm"),
    ],
    ids=["accepted", "charged", "printed"],
)
def test_an_order_goes_on_from_the_step_at_which_it_failed(here, steps, state, queue, task):
    order_id = failed(here, *steps)
    assert replay(here, order_id) == (0, f"{order_id} goes on from {state!r}.\n")
    assert here.orders.state(order_id) == state
    assert here.sent() == [(queue, task, order_id)]
    assert listed(here) == []


def test_replay_twice_is_once(here):
    order_id = failed(here)
    assert replay(here, order_id)[0] == 0
    assert replay(here, order_id) == (1, f"Error: {order_id} has not failed. See: list\n")
    assert len(here.sent()) == 1


@pytest.mark.parametrize("order_id", UNKNOWN)
def test_an_order_that_is_none_gets_a_sentence(here, order_id):
    failed(here)
    assert replay(here, order_id) == (1, f"Error: {order_id} has not failed. See: list\n")
    assert here.sent() == [] and len(list(here.folder.iterdir())) == 1


def test_an_order_that_is_well_is_not_replayed(here):
    order_id = here.order("charged")
    assert replay(here, order_id) == (1, f"Error: {order_id} has not failed. See: list\n")
    assert here.orders.state(order_id) == "charged" and here.sent() == []


def test_replay_without_a_broker_leaves_the_order_to_the_reconciler(here):
    order_id = failed(here)
    here.age(order_id, 100)
    here.bench.broker.kill()
    try:
        program = here.command("dead_letters", "replay", order_id)
    finally:
        here.bench.broker.start()
    assert program.returncode == 0 and f"Order {order_id} waits." in program.log()
    assert here.reconcile.reconcile(60) == [order_id]


# A real worker


def test_what_was_declined_is_charged_once_when_it_is_tried_again(shop, here):
    order = InShop(shop).answers((402, {}, {"error": "No money."})).place().wait_for("failed")
    env = shop.env | {"CELERY_BROKER_URL": shop.bench.broker.url}

    def command(*words):
        argv = [sys.executable, "-m", "printshop.dead_letters", *words]
        return here.bench.run(argv, env=env).log()

    assert f"{order.id}  " in command("list") and "printshop.tasks.charge: No money." in command(
        "list"
    )
    assert command("replay", order.id) == f"{order.id} goes on from 'accepted'.\n"
    order.wait_for("confirmed")
    assert shop.obedient.charged(order.id) == 1
    assert order.id not in command("list")


def test_a_charge_that_never_works_is_a_dead_letter(another_shop):
    """Ten retries, without their pauses: a minute is long for a test."""
    edit = {
        "printshop/tasks.py": (
            "            wait += error.wait  # and never sooner than the provider asks for\n",
            "            wait = 0\n",
        )
    }
    shop = another_shop(edit)
    order = InShop(shop).answers(*["500", "dropped"] * 10).place().wait_for("failed")
    assert [run.retries for run in order.runs("charge")] == list(range(11))
    failed = order.facts("failed")
    assert failed["step"] == "printshop.tasks.charge"
    assert "500 Internal Server Error" in failed["reason"], json.dumps(failed)
    assert shop.obedient.charged(order.id) == 1, "It was dropped five times, and charged once."
    assert order.facts("accepted") == ORDER | {"card": order.card}
