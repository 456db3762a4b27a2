"""Two orders and a kill: what the experiments of the kill matrix share.

For each way to acknowledge there is a worker with one pool process, and a queue of its own. Order A
is being printed. Order B is reserved: the worker has its message, and has not begun. Then comes the
kill, and `Press.row` says what has become of both:

- done: it succeeded;
- failed: its state is FAILURE, and its message is gone;
- queue: its message waits for any worker;
- unacked: its message is noted as taken, and comes back after the visibility timeout;
- lost: there is no message any more, and no result.
"""

import json
from collections.abc import Mapping, Sequence

from lab import Bench
from lab.bench import Worker
from lab.timeline import Run
from lab.waiting import wait_until

LATE = {"task_acks_late": True}
WAYS = {
    "early ack": {},
    "acks_late": LATE,
    "reject_on_worker_lost": {**LATE, "task_reject_on_worker_lost": True},
    "retry_on_worker_lost": {**LATE, "task_retry_on_worker_lost": True},
}

# Celery alone, without the shop. A picture is finished when the experiment says so.
PRESS = """
import json, os, time
from pathlib import Path

from celery import Celery

app = Celery("press", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ.get("SETTINGS", "{}")))


@app.task(default_retry_delay=1)
def print_photos(order):
    while not Path(os.environ["PRINTED"]).exists():
        time.sleep(0.05)
"""

SEND = """
from press import print_photos
for queue in QUEUES:
    for order in ORDERS:
        print_photos.apply_async([order], queue=queue, task_id=f"{queue}: {order}")
"""


class Press:
    """A worker with one pool process, which prints the orders of one queue."""

    def __init__(
        self, bench: Bench, way: str, settings: Mapping, env: Mapping[str, str] | None = None
    ) -> None:
        self.bench, self.way, self.late = bench, way, "task_acks_late" in settings
        self.printed = bench.folder / f"{way}.printed"
        self.worker = hire(bench, [way], settings, {"PRINTED": str(self.printed), **(env or {})})

    def finish(self) -> None:
        """Let the picture that is being printed come to its end, and all after it."""
        self.printed.touch()

    def busy(self) -> bool:
        """Whether A runs and B is reserved, and Redis knows what is acknowledged already."""
        held = {message.id for message in self.bench.xray().unacked if message.queue == self.way}
        orders = "AB" if self.late else "B"
        return bool(self.runs("A")) and held == {f"{self.way}: {order}" for order in orders}

    def runs(self, order: str) -> list[Run]:
        """Every time that an order was begun."""
        return [run for run in self.bench.timeline().runs if run.id == f"{self.way}: {order}"]

    def state(self, order: str) -> str:
        """What a client is told."""
        states = {result.id: result.status for result in self.bench.xray().results}
        return states.get(f"{self.way}: {order}", "PENDING")

    def fate(self, order: str) -> str:
        """What has become of an order that nobody works on any more."""
        now, task = self.bench.xray(), f"{self.way}: {order}"
        if task in {message.id for message in now.queues.get(self.way, [])}:
            return "queue"
        if task in {message.id for message in now.unacked}:
            return "unacked"
        return {"SUCCESS": "done", "FAILURE": "failed"}.get(self.state(order), "lost")

    def row(self) -> dict:
        row = {"acknowledges": self.way, "A": self.fate("A"), "B": self.fate("B")}
        return row | {"A's state": self.state("A"), "A began": len(self.runs("A"))}


def hire(bench: Bench, queues: Sequence[str], settings: Mapping, env: Mapping[str, str]) -> Worker:
    """A worker for these queues. It is not ready yet."""
    (bench.folder / "press.py").write_text(PRESS)
    env = {**env, "SETTINGS": json.dumps(settings)}
    return bench.worker("press", queues=",".join(queues), cwd=bench.folder, env=env, wait=False)


def send(bench: Bench, queues: Sequence[str], orders: str) -> None:
    """Send each order to each queue. Their ids are like "acks_late: A"."""
    code = SEND.replace("QUEUES", repr(list(queues))).replace("ORDERS", repr(orders))
    said = bench.python(code, cwd=bench.folder)
    assert not said, said


def occupy(bench: Bench, presses: Sequence[Press]) -> None:
    """Send A and B to each, and return when A runs everywhere and B is reserved."""
    send(bench, [press.way for press in presses], "AB")
    for press in presses:
        press.worker.wait_for("B] received", timeout=60)
        what = f"{press.way}: A does not run, or is not acknowledged as it should be"
        wait_until(press.busy, what, timeout=60, log=press.worker.log)
