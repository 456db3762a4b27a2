"""A bad day in the print shop, and its account: what the experiment `soak` and the tests share.

Customers order, the provider fails one call in five, a process is killed by SIGKILL every second,
and the broker twice. At the end each order that was accepted is looked for.
"""

import json
import os
import random
import secrets
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from lab import Bench
from lab.bench import WORKER_READY, Process, Worker, free_port, whole_lines

KEPT = {"appendonly": "yes", "appendfsync": "always"}  # what a broker needs to survive SIGKILL
QUEUES = "urgent,normal,bulk"


class Shop:
    """All processes of the shop, on a bench: provider, API, workers, reconciler.

    `folder` is a copy of the example (`bench.copy`). `fail` is the share of the provider's faults.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        folder: Path | None = None,
        workers: int = 2,
        reconciler: bool = True,
        fail: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.bench, self.folder = bench, folder
        self.home = bench.folder / f"shop-{secrets.token_hex(4)}"
        self.home.mkdir()
        self.ledger = self.home / "ledger.jsonl"
        provider, api = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.env = {
            "PRINTSHOP_ORDERS": str(self.home / "orders"),
            "PRINTSHOP_SPOOL": str(self.home / "spool"),
            "PRINTSHOP_PROVIDER": f"http://{provider}",
        }
        words = ["--ledger", self.ledger, "--fail", fail, "--seed", seed, "--slow", 1]
        port = provider.rpartition(":")[2]
        self.provider = self.start("provider", "world.provider", "--port", port, *words)
        words = ["--bind", api, "--workers", "2", "--no-control-socket"]
        self.api = self.start("api", "gunicorn", "printshop.api:api", *words)
        self.workers = [self.hire() for _ in range(workers)]
        if reconciler:
            words = ["--older-than", "6", "--every", "1"]
            self.reconciler = self.start("reconciler", "printshop.reconcile", *words)
        self.provider.wait_for("Charging", timeout=60)
        self.api.wait_for("Booting worker", timeout=60)
        self.web = httpx.Client(base_url=f"http://{api}", timeout=30)
        self.charges = f"http://{provider}/charges"
        bench.all_ready()

    def start(self, name: str, module: str, *words: object) -> Process:
        argv = [sys.executable, "-m", module, *map(str, words)]
        return self.bench.process(name, argv, env=self.env, cwd=self.folder)

    def hire(self) -> Worker:
        """One more worker. It is not ready yet."""
        return self.bench.worker(
            "printshop", concurrency=2, queues=QUEUES, env=self.env, cwd=self.folder, wait=False
        )

    def order(self, number: int) -> str | None:
        """Order, as a customer who asks again until the shop answers. Returns the order's id."""
        order = {"photo": f"{number}.jpg", "copies": 1 + number % 3, "card": "tok_visa"}
        for _ in range(50):
            with suppress(httpx.TransportError):
                headers = {"Idempotency-Key": f"customer-{number}"}
                answer = self.web.post("/orders", json=order, headers=headers)
                if answer.status_code == 202:
                    return answer.json()["order"]
            time.sleep(0.2)
        return None

    def states(self) -> Counter[str]:
        """How many orders are in which state, by the files."""
        found: Counter[str] = Counter()
        for folder in (self.home / "orders").glob("*"):
            names = {file.stem for file in folder.glob("[!.]*.json")}
            order = ("failed", "confirmed", "printed", "charged", "accepted")
            found.update([state for state in order if state in names][:1])
        return found

    def account(self, accepted: list[str]) -> dict[str, int]:
        """What became of the orders that were accepted."""
        lines = whole_lines(self.ledger)
        # The shop charges with the order as the key. A shop that does not is found by the sum.
        charged = Counter(
            json.loads(line)["key"].split("/")[0] for line in whole_lines(self.ledger)
        )
        here = self.home / "orders"
        failed = sum((here / each / "failed.json").exists() for each in accepted)
        done = sum((here / each / "confirmed.json").exists() for each in accepted)
        printed = sum((self.home / "spool" / f"{each}.json").exists() for each in accepted)
        return {
            "accepted": len(accepted),
            "asked the provider": httpx.get(self.charges, timeout=60).json().get("requests", 0),
            "charged": len(lines),
            "printed": printed,
            "confirmed": done,
            "failed, with a reason": failed,
            "lost": len(accepted) - done - failed,
            "charged twice": sum(times > 1 for times in charged.values()),
        }


class Killer(threading.Thread):
    """Kills a pool process, or now and then a whole worker, every second, and hires a new one."""

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(daemon=True)
        self.shop, self.random = shop, random.Random(seed)
        self.done, self.kills = threading.Event(), Counter()

    def run(self) -> None:
        while not self.done.wait(1):
            workers = self.shop.workers
            number = self.random.randrange(len(workers))
            if not workers[number].running:
                workers[number] = self.shop.hire()  # it ended by itself: a supervisor's work
            elif WORKER_READY not in workers[number].log():
                continue  # on a busy machine nothing would ever be done
            elif self.random.random() < 0.2:
                workers[number].kill()
                workers[number] = self.shop.hire()
                self.kills["worker"] += 1
            elif pool := workers[number].pool():
                with suppress(ProcessLookupError):
                    os.kill(self.random.choice(pool), signal.SIGKILL)
                    self.kills["pool process"] += 1


def bad_day(
    bench: Bench,
    *,
    orders: int,
    seed: int,
    folder: Path | None = None,
    reconciler: bool = True,
    patience: float = 60,
) -> dict[str, int]:
    """Take so many orders while everything dies. Returns the account.

    It ends when every accepted order has ended, or when nothing has happened for `patience`
    seconds.
    """
    shop = Shop(bench, folder=folder, workers=3, reconciler=reconciler, fail=0.2, seed=seed)
    killer = Killer(shop, seed)
    killer.start()
    accepted: list[str] = []
    restarts = 0
    with ThreadPoolExecutor(4) as customers:
        for number, order_id in enumerate(customers.map(shop.order, range(orders))):
            accepted += [order_id] if order_id else []
            if (number + 1) * 3 // orders > restarts and restarts < 2:
                bench.broker.kill()
                bench.broker.start()
                restarts += 1
            if not number % 10:
                bench.show(f"{len(accepted)} of {orders} accepted. Killed: {dict(killer.kills)}")
    before, since = Counter(), time.monotonic()
    while time.monotonic() - since < patience:
        now = shop.states()
        if now["confirmed"] + now["failed"] >= len(accepted):
            break
        if now != before:
            before, since = now, time.monotonic()
        bench.show(f"{dict(now)}. Killed: {dict(killer.kills)}")
        time.sleep(0.5)
    killer.done.set()
    killer.join()
    killed = {f"killed: {what}": killer.kills[what] for what in ("pool process", "worker")}
    missing = {"not accepted": orders - len(accepted)}
    return {**shop.account(accepted), **missing, **killed, "killed: broker": restarts}
