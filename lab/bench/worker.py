"""A real `celery worker`, and the words of a Celery command."""

from __future__ import annotations

import sys
from pathlib import Path

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


def celery(app: str, *words: str) -> list[str]:
    """The words of a Celery command. The same Python as ours runs it."""
    return [sys.executable, "-m", "celery", "-A", app, *words]
