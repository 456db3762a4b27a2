"""Take a part of the shop away, and it loses orders, or charges twice: the controls of `soak`.

`lab run 05/soak` shows that nothing is lost on a bad day. It would show the same if nothing could
be lost, or if nobody counted. So here each part is taken away, and must be missed.
"""

import sys
from collections import Counter

import pytest
from serving import CHAPTER, SECONDS, InShop

from lab import Bench
from lab.bench import wait_until

EARLY = {"printshop/settings.py": ("task_acks_late = True", "task_acks_late = False")}

A_NEW_KEY = {
    "printshop/payments.py": (
        'headers={"Idempotency-Key": order_id},',
        'headers={"Idempotency-Key": f"{order_id}/{os.urandom(4).hex()}"},',
    )
}

# A message that a dead worker had comes back after ten seconds instead of 300: a day need not
# last so long. The lock is for a worker that is killed while it looks for such messages.
SOON = {
    "printshop/settings.py": (
        '"visibility_timeout": 300,',
        '"visibility_timeout": 10, "unacked_restore_interval": 1, "unacked_restore_throttle": 1, '
        '"unacked_mutex_expire": 1,',
    )
}


@pytest.mark.parametrize(("edit", "held"), [(EARLY, 0), (None, 2)], ids=["early", "late"])
def test_who_acknowledges_early_loses_what_a_dead_worker_printed(another_shop, edit, held):
    """Six orders and one SIGKILL, in the middle of two prints. Nobody reconciles."""
    shop = another_shop(edit, env={"PRINTSHOP_SECONDS_PER_COPY": "600"})
    orders = [InShop(shop, copies=1).place() for _ in range(6)]

    def printing() -> list[InShop]:
        return [order for order in orders if order.runs("print_photos")]

    def in_the_middle() -> bool:
        unacked = {message.task.rpartition(".")[2] for message in shop.bench.xray().unacked}
        known = len(shop.bench.xray().unacked) == held and unacked <= {"print_photos"}
        return len(printing()) == 2 and known

    wait_until(in_the_middle, "no two are printed", timeout=SECONDS, log=orders[0].logs)
    torn = printing()
    shop.workers[0].kill()
    shop.env["PRINTSHOP_SECONDS_PER_COPY"] = "0"
    shop.workers = [shop.hire()]
    for order in orders:
        if order not in torn:
            order.wait_for("confirmed")

    account = shop.account([order.id for order in orders])
    assert (account["confirmed"], account["lost"], account["charged twice"]) == (4, 2, 0)
    assert not any(shop.bench.xray().lengths.values()), "There are messages left."

    def there() -> set[str]:
        return {message.body[0][0] for message in shop.bench.xray().unacked}

    # An order is confirmed a moment before its last message is acknowledged.
    wait_until(lambda: len(there()) <= held, "a worker holds more", log=orders[0].logs)
    if held:
        assert there() == {order.id for order in torn}, "They come back after five minutes."
    else:
        assert there() == set(), "Nothing is left of them: they are lost, and paid for."

    reconcile = [sys.executable, "-m", "printshop.reconcile", "--older-than", "0"]
    shop.bench.run(reconcile, env=shop.env, cwd=shop.folder)
    for order in torn:
        order.wait_for("confirmed")
    account = shop.account([order.id for order in orders])
    assert (account["confirmed"], account["lost"], account["charged twice"]) == (6, 0, 0)


def dropped(shop) -> dict[str, int]:
    """The provider charges five cards, and each answer gets lost on its way."""
    orders = [InShop(shop).answers("dropped").place() for _ in range(5)]
    for order in orders:
        order.wait_for("confirmed")
    assert all(shop.obedient.attempts(order.card) == 2 for order in orders)
    return shop.account([order.id for order in orders])


def test_a_new_key_for_each_attempt_charges_twice(another_shop):
    account = dropped(another_shop(A_NEW_KEY))
    assert (account["charged twice"], account["charged"]) == (5, 10)
    assert (account["confirmed"], account["lost"]) == (5, 0), "The shop has noticed nothing."


def test_the_same_key_in_each_attempt_charges_once(shop):
    account = dropped(shop)
    assert (account["charged twice"], account["confirmed"], account["lost"]) == (0, 5, 0)


def test_the_account_finds_what_is_lost(shop):
    """The count itself: of three orders one ends, one fails, and one is lost."""
    good, bad = InShop(shop).place(), InShop(shop, card="tok_declined").place()
    good.wait_for("confirmed")
    bad.wait_for("failed")
    account = shop.account([good.id, bad.id, InShop(shop).keep("charged").id])
    found = {what: account[what] for what in ("accepted", "printed", "confirmed", "lost")}
    assert found == {"accepted": 3, "printed": 1, "confirmed": 1, "lost": 1}
    assert account["failed, with a reason"] == 1


# Bad days. They take many minutes, so `make soak` runs them.


def bad_day(name: str, capsys, edit=None, **options) -> tuple[dict[str, int], Counter[str]]:
    """A bad day on a bench of its own. Returns its account, and how the orders were lost.

    Print both: they are what a run of `make soak` is for.
    """
    from experiments.shared import chaos

    with Bench(CHAPTER, broker_options=chaos.KEPT) as bench:
        folder = bench.copy(edit) if edit else None
        account = chaos.bad_day(bench, folder=folder, **options)
        [home] = bench.folder.glob("shop-*")
        logs = "".join(log.read_text(errors="replace") for log in bench.folder.glob("logs/*.log"))
        how: Counter[str] = Counter()
        for order in (home / "orders").iterdir():
            steps = {file.stem for file in order.glob("[!.]*.json")}
            if "accepted" in steps and not steps & {"confirmed", "failed"}:
                warned = f"Order {order.name} waits." in logs
                how["never sent, there was no broker" if warned else "sent, and lost"] += 1
    with capsys.disabled():
        print(f"\n{name}: {account}. Lost: {dict(how)}")
    return account, how


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_orders_on_a_bad_day_are_all_charged_once(seed, capsys):
    account, _ = bad_day(f"1,000 orders, seed {seed}", capsys, orders=1000, seed=seed, patience=120)
    assert account["not accepted"] == 0
    assert account["killed: broker"] == 2 and account["killed: worker"] > 0
    assert (account["lost"], account["charged twice"]) == (0, 0)
    assert account["printed"] >= account["confirmed"]
    assert account["confirmed"] + account["failed, with a reason"] == account["accepted"] == 1000


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
def test_late_acknowledgement_alone_loses_orders(capsys):
    """Five days of 400 orders. There is no reconciler, and dead workers' messages come back."""
    days = [
        bad_day(
            f"400 orders without the reconciler, seed {seed}",
            capsys,
            edit=SOON,
            orders=400,
            seed=seed,
            reconciler=False,
            patience=90,
        )
        for seed in range(1, 6)
    ]
    lost = [account["lost"] for account, _ in days]
    ways = sum((how for _, how in days), Counter())
    with capsys.disabled():
        bad = sum(map(bool, lost))
        print(f"\n{sum(lost)} of 2,000 orders were lost, in {bad} of 5 days: {dict(ways)}")
    assert sum(lost) > 0, "Nothing was lost, so nothing shows that the reconciler is needed."
    assert [account["charged twice"] for account, _ in days] == [0] * 5
