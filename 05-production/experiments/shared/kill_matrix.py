"""Two orders and a kill: what the experiments of the kill matrix share.

For each way to acknowledge there is a worker with one pool process, and a queue of its own. Order A
is being printed. Order B is reserved: the worker has its message, and has not begun. Then comes the
kill, and `Case.row` says what has become of both. An order

- "is done": it succeeded, in its first run;
- "is run again": it was begun more than once, and succeeded;
- "fails": its state is FAILURE, and its message is gone;
- "is in the queue": its message waits for any worker;
- "is in unacked": its message is noted as taken, and comes back after the visibility timeout;
- "is lost": there is no message any more, and no result.

An experiment lists in FATES what it claims: how the worker ends, each way to acknowledge, and the
two fates. That is a part of the kill matrix in reliability.md, word for word: see `cells`.
"""

import json
from collections.abc import Mapping, Sequence

from lab import Bench
from lab.bench import Worker, wait_until
from lab.observe.timeline import Run

LATE = {"task_acks_late": True}
WAYS = {
    "early ack": {},
    "acks_late": LATE,
    "acks_late + reject_on_worker_lost": {**LATE, "task_reject_on_worker_lost": True},
    "acks_late + retry_on_worker_lost": {**LATE, "task_retry_on_worker_lost": True},
}

Fates = Mapping[str, Mapping[str, str]]  # FATES["SIGQUIT"]["early ack"]

# Celery alone, without the shop. A picture is finished when the experiment says so.
PRINTER = """
import json
import os
import time
from pathlib import Path

from celery import Celery

app = Celery("printer", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ.get("SETTINGS", "{}")))


@app.task(default_retry_delay=1)
def print_photos(order):
    while not Path(os.environ["PRINTED"]).exists():
        time.sleep(0.05)
"""

SEND = """
from printer import print_photos
for queue in QUEUES:
    for order in ORDERS:
        print_photos.apply_async([order], queue=queue, task_id=f"{queue}: {order}")
"""


class Case:
    """A cell of the matrix: a worker with one pool process, which prints the orders of one queue.

    `end` says how it is going to end, `way` how it acknowledges: a key of `WAYS`. `settings` and
    `env` are further ones.
    """

    def __init__(
        self,
        bench: Bench,
        end: str,
        way: str,
        settings: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.bench, self.end, self.way = bench, end, way
        self.queue = f"{end}: {way}".replace(",", "")  # `--queues` divides at commas
        self.printed = bench.folder / f"{self.queue}.printed"
        settings = {**WAYS[way], **(settings or {})}
        env = {"PRINTED": str(self.printed), **(env or {})}
        self.worker = hire(bench, [self.queue], settings, env)

    def finish(self) -> None:
        """Let the picture that is being printed come to its end, and all after it."""
        self.printed.touch()

    def busy(self) -> bool:
        """Whether A runs and B is reserved, and Redis knows what is acknowledged already."""
        held = {each.id for each in self.bench.xray().unacked if each.queue == self.queue}
        orders = "B" if self.way == "early ack" else "AB"
        return bool(self.runs("A")) and held == {f"{self.queue}: {order}" for order in orders}

    def runs(self, order: str) -> list[Run]:
        """Every time that an order was begun."""
        return [run for run in self.bench.timeline().runs if run.id == f"{self.queue}: {order}"]

    def state(self, order: str) -> str:
        """What a client is told."""
        states = {result.id: result.status for result in self.bench.xray().results}
        return states.get(f"{self.queue}: {order}", "PENDING")

    def fate(self, order: str) -> str:
        """What has become of an order that nobody works on any more."""
        now, task = self.bench.xray(), f"{self.queue}: {order}"
        if task in {message.id for message in now.queues.get(self.queue, [])}:
            return "is in the queue"
        if task in {message.id for message in now.unacked}:
            return "is in unacked"
        done = "is done" if len(self.runs(order)) == 1 else "is run again"
        return {"SUCCESS": done, "FAILURE": "fails"}.get(self.state(order), "is lost")

    def row(self, end: str | None = None) -> dict:
        """What has become of A and B. `end` says more than was known when it began."""
        row = {"what happens": end or self.end, "acknowledges": self.way}
        row |= {order: self.fate(order) for order in "AB"}
        return row | {"A's state": self.state("A"), "A began": len(self.runs("A"))}


def hire(bench: Bench, queues: Sequence[str], settings: Mapping, env: Mapping[str, str]) -> Worker:
    """A worker for these queues. It is not ready yet."""
    module = bench.folder / "printer.py"
    if not module.exists():  # once, before the first worker: another may be reading it just now
        module.write_text(PRINTER)
    env = {**env, "SETTINGS": json.dumps(settings)}
    return bench.worker("printer", queues=",".join(queues), cwd=bench.folder, env=env, wait=False)


def send(bench: Bench, queues: Sequence[str], orders: str) -> None:
    """Send each order to each queue. Their ids are like "SIGQUIT: acks_late: A"."""
    code = SEND.replace("QUEUES", repr(list(queues))).replace("ORDERS", repr(orders))
    said = bench.python(code, cwd=bench.folder)
    assert not said, said


def occupy(bench: Bench, cases: Sequence[Case]) -> None:
    """Send A and B to each, and return when A runs everywhere and B is reserved.

    Each worker knows by then that A has begun. If its process dies before, A is begun again.
    """
    send(bench, [case.queue for case in cases], "AB")
    for case in cases:
        case.worker.wait_for("B] received", timeout=60)
        what = f"{case.queue}: A does not run, or is not acknowledged as it should be"
        wait_until(case.busy, what, timeout=60, log=case.worker.log)
    for case in cases:
        wait_until(
            lambda case=case: f"{case.queue}: A" in case.worker.active(),
            f"{case.queue}: the worker does not know that A has begun",
            log=case.worker.log,
        )


def employ(bench: Bench, fates: Fates) -> list[Case]:
    """A case for each cell of the matrix."""
    return [Case(bench, end, way) for end, ways in fates.items() for way in ways]


def cells(rows: Sequence[Mapping], fates: Fates) -> dict[str, bool]:
    """The claims of a part of the kill matrix: "SIGQUIT, early ack: A is lost, B is in the queue".

    Each is true when the row says the same, word for word.
    """
    found = {
        (row["what happens"], row["acknowledges"]): f"A {row['A']}, B {row['B']}" for row in rows
    }
    return {
        f"{end}, {way}: {fate}": found[end, way] == fate
        for end, ways in fates.items()
        for way, fate in ways.items()
    }
