"""What the tests share: a provider that obeys, a shop with all its processes, and the shop here."""

import json
import os
import secrets
import sys
import threading
from collections import defaultdict
from pathlib import Path

from celery import Celery
from click.testing import CliRunner, Result
from kombu import Connection

from experiments.shared.chaos import Shop
from lab.bench import Bench, Process, wait_until, whole_lines
from world.provider import Provider, Request

CHAPTER = Path(__file__).parent.parent
SECONDS = 60  # how long a test waits for what must come, on a machine that has other things to do
ORDER = {"photo": "harbour.jpg", "copies": 2, "card": "tok_visa"}


def new_id() -> str:
    return secrets.token_hex(16)


class Now(threading.local):
    """What is to happen to the request of this thread."""

    step: object = ""


class Obedient(Provider):
    """The provider of the chapter, with the faults that a test asks for, card by card.

    ``provider.script["tok_ada"] = ["500", "dropped"]``: the first request with this card meets a
    500, the second one is dropped, and all after it are charged. Beside the faults of the
    provider there are answers of your own, `(status, headers, body)`, and functions, which are
    called before the card is charged.
    """

    def __init__(self, ledger: Path, slow: float = 0.1) -> None:
        super().__init__(0, ledger, 0.0, 1, slow)
        self.RequestHandlerClass = ObedientRequest
        self.script: dict[str, list] = defaultdict(list)
        self.asked: list[tuple[str, dict]] = []  # the key and the body of each request
        self.now = Now()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "Obedient":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    def fault(self) -> str:
        super().fault()
        return "500" if isinstance(self.now.step, tuple) else self.now.step

    def ledger_lines(self) -> list[dict]:
        return [json.loads(line) for line in whole_lines(self.ledger)]

    def charged(self, order_id: str) -> int:
        """How often the card of this order was charged. The order is the beginning of the key."""
        return sum(line["key"].startswith(order_id) for line in self.ledger_lines())

    def attempts(self, card: str) -> int:
        return sum(body["card"] == card for _, body in self.asked)


class ObedientRequest(Request):
    server: Obedient

    def body(self) -> object:
        body = super().body()
        card = str(body.get("card")) if isinstance(body, dict) else ""
        with self.server.lock:
            self.server.asked.append((self.headers.get("Idempotency-Key", ""), body))
            script = self.server.script[card]
            step = script.pop(0) if script else ""
        self.server.now.step = (step() or "") if callable(step) else step
        return body

    def answer(self, status: int, said: dict, headers: dict[str, str] | None = None) -> None:
        if isinstance(self.server.now.step, tuple):
            status, headers, said = self.server.now.step
        super().answer(status, said, headers)

    def log_message(self, *words: object) -> None:
        """It is quiet: pytest shows what a test says."""


def open_shop(bench: Bench, *, workers: int = 1, env=None, folder: Path | None = None) -> Shop:
    """A `shared.chaos.Shop` without a reconciler, whose provider is `shop.obedient`.

    `env` is for its workers, `folder` a copy of the example.
    """
    # The provider is a thread of the tests, which may stand still: the shop has patience with it.
    folder = folder or bench.copy({})
    payments = folder / "printshop" / "payments.py"
    before, after = "read=5", "read=40"
    assert before in payments.read_text()
    payments.write_text(payments.read_text().replace(before, after))
    shop = Shop(bench, folder=folder, workers=0, reconciler=False)
    shop.provider.stop()
    shop.obedient = Obedient(shop.ledger).__enter__()
    shop.charges = f"{shop.obedient.url}/charges"
    shop.env |= {"PRINTSHOP_PROVIDER": shop.obedient.url, **(env or {})}
    shop.workers = [shop.hire() for _ in range(workers)]
    bench.all_ready()
    return shop


class Here:
    """The shop's modules in this process."""

    def __init__(self, bench: Bench, home: Path) -> None:
        from printshop import dead_letters, orders, payments, reconcile, statement, tasks

        self.bench, self.folder, self.spool = bench, home / "orders", home / "spool"
        self.orders, self.tasks, self.payments = orders, tasks, payments
        self.dead_letters, self.reconcile, self.statement = dead_letters, reconcile, statement
        self.env = {"PRINTSHOP_ORDERS": str(self.folder), "PRINTSHOP_SPOOL": str(self.spool)}
        # Celery makes a task of a function when it is asked for it, and each app of this process
        # gets the tasks of all apps. Ours come first, before those that a former bench left.
        for task in (*tasks.NEXT.values(), statement.make_statement):
            assert task.app is tasks.app

    def order(self, *steps: str, **order: object) -> str:
        """An order to which these steps have happened as well. Returns its id."""
        order_id = new_id()
        self.orders.accept(order_id, ORDER | order)
        for step in steps:
            self.orders.record(order_id, step, **({"receipt": "R1"} if step == "charged" else {}))
        return order_id

    def age(self, order_id: str, seconds: float) -> None:
        """All that has happened to this order, has happened so many seconds ago."""
        for file in self.orders.folder_of(order_id).iterdir():
            then = file.stat().st_mtime - seconds
            os.utime(file, (then, then))

    def sent(self) -> list[tuple[str, str, str]]:
        """The messages that wait: queue, task, order."""
        queues = self.bench.xray().queues
        return [
            (queue, message.task.rpartition(".")[2], *message.body[0])
            for queue in ("urgent", "normal", "bulk")
            for message in queues.get(queue, [])
        ]

    def invoke(self, module, *words: str) -> Result:
        """A command of a module, in this process. It has `exit_code` and `output`."""
        return CliRunner().invoke(module.main, words)

    def command(self, module: str, *words: str) -> Process:
        """Run `python -m printshop.<module>` with the orders of this test."""
        argv = [sys.executable, "-m", f"printshop.{module}", *words]
        return self.bench.run(argv, env=self.env)


class InShop:
    """An order that a customer places in a shop with all its processes."""

    def __init__(self, shop: Shop, key: str = "", **order: object) -> None:
        self.shop, self.key = shop, key or new_id()
        self.order = ORDER | {"card": f"tok_{new_id()}"} | order
        self.card = self.order["card"]

    def answers(self, *script: object) -> "InShop":
        """What the provider says to its card, before it charges it."""
        self.shop.obedient.script[self.card] = list(script)
        return self

    def place(self) -> "InShop":
        headers = {"Idempotency-Key": self.key}
        answer = self.shop.web.post("/orders", json=self.order, headers=headers)
        assert answer.status_code == 202, f"{answer.text}\n{self.shop.api.log()}"
        self.id = answer.json()["order"]
        return self

    def keep(self, *steps: str) -> "InShop":
        """The order is kept, these steps are done, and the message of the next one was lost."""
        self.id = new_id()
        folder = self.shop.home / "orders" / self.id
        folder.mkdir(parents=True)
        (folder / "accepted.json").write_text(json.dumps(self.order))
        for step in steps:
            (folder / f"{step}.json").write_text(json.dumps({"receipt": "R0"}))
        return self

    def send(self, task: str, queue: str, **how: object) -> str:
        """Send a task for it, whatever its state is. Returns the id of the task."""
        name, how = f"printshop.tasks.{task}", {"queue": queue, "ignore_result": True, **how}
        # Celery prefers the broker of the environment, and that is the one of the other bench.
        with Connection(self.shop.bench.broker.url) as connection:
            client = Celery(set_as_current=False)
            return client.send_task(name, [self.id], connection=connection, **how).id

    @property
    def state(self) -> str:
        return self.shop.web.get(f"/orders/{self.id}").json()["state"]

    def facts(self, what: str) -> dict:
        return json.loads((self.shop.home / "orders" / self.id / f"{what}.json").read_text())

    def wait_for(self, state: str) -> "InShop":
        def there() -> bool:
            now = self.state
            assert now == state or now not in ("failed", "confirmed"), (
                f"The order should become {state!r}, and is {now!r}. {self.logs()}"
            )
            return now == state

        wait_until(there, f"the order is not {state!r}", timeout=SECONDS, log=self.logs)
        return self

    def runs(self, task: str) -> list:
        """Every time that a task began for this order."""
        runs = self.shop.bench.timeline().runs
        return [run for run in runs if run.label == self.id and run.task.endswith(f".{task}")]

    def logs(self) -> str:
        return "\n".join(worker.log() for worker in self.shop.workers)
