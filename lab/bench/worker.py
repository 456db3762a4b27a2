"""A real `celery worker`, and the words of a Celery command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil

from lab.bench.process import Process
from lab.observe.records import RECORDS, read_records

# What a worker logs when it takes messages. The name of its node stands before it.
WORKER_READY = " ready."


class Worker(Process):
    """A `celery worker` with its pool processes."""

    def pool(self) -> list[int]:
        """The process numbers of the pool processes that are alive, the oldest first."""
        born = [
            int(entry["pid"])
            for entry in read_records(Path(self.env[RECORDS]))
            if entry["event"] == "process" and entry["parent"] == self.pid
        ]
        return [pid for pid in born if psutil.pid_exists(pid)]

    # A pool process knows first what it does. The worker hears of it a moment later, and acts on
    # what it has heard: what it acknowledges, revokes or loses. So ask the one that will act.

    def active(self) -> set[str]:
        """The ids of the tasks that the worker knows to have begun, and not to have ended."""
        return {task["id"] for task in self._ask("active")}

    def answers(self) -> bool:
        """Whether it answers a question. Then it has looked at every message it took before."""
        return bool(self._ask("ping"))

    def _ask(self, question: str) -> Any:
        """Its answer, which it gives between two other things. Nothing, if it does not answer."""
        from celery import Celery

        app, node = Celery(set_as_current=False), f"{self.name}@bench"
        with app.connection(self.env["CELERY_BROKER_URL"]) as connection:
            inspect = app.control.inspect([node], timeout=20, connection=connection)
            return (getattr(inspect, question)() or {}).get(node, [])


def celery(app: str, *words: str) -> list[str]:
    """The words of a Celery command. The same Python as ours runs it."""
    return [sys.executable, "-m", "celery", "-A", app, *words]
