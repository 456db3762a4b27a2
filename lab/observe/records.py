"""The records of a bench: lines of JSON that its processes append to, and that survive SIGKILL."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The variable of the environment that names the folder of the records.
RECORDS = "LAB_RECORDS"


def record(event: str, *, folder: str | None = None, **fields: object) -> None:
    """Append one line to the records. Without a folder, do nothing.

    The time is `time.monotonic()` in seconds: one clock for all processes of a machine (Linux and
    macOS), and it does not jump when somebody sets the date.
    """
    folder = folder or os.environ.get(RECORDS)
    if not folder:
        return
    line = json.dumps({"time": time.monotonic(), "event": event, **fields}, default=str)
    try:
        with open(os.path.join(folder, f"{os.getpid()}.jsonl"), "a") as file:
            file.write(line + "\n")
    except FileNotFoundError:  # the bench is closing and its folder is gone
        pass


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a folder, in the order of time."""
    return sorted(_entries(folder), key=lambda entry: entry["time"])


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    for file in folder.glob("*.jsonl"):
        for line in whole_lines(file):
            yield json.loads(line)


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that another process adds to: none while there is no file.

    A last line without its end is left out. A reader can meet half of an append, even of one that
    is a single write: so did 5 of 824 reads of a file that grew.
    """
    return path.read_text().split("\n")[:-1] if path.exists() else []
