"""Waiting for what other processes do, with a deadline and a message that says what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds between two looks. What comes at once is seen at once; what takes long is not asked for
# fifty times a second, by twenty tests side by side.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.2


class TooLate(AssertionError):
    """A condition did not come true before its deadline.

    An ``AssertionError``, because in a test or an experiment it is one: something that was
    claimed to happen did not.
    """


def tail(text: str, lines: int = 15) -> str:
    """The last lines of a log, indented, for a message."""
    last = text.rstrip().splitlines()[-lines:] or ["(nothing)"]
    return "\n".join(f"    {line}" for line in last)


def wait_until(
    condition: Callable[[], T | None],
    what: str,
    *,
    timeout: float = 60.0,
    log: Callable[[], str] | None = None,
) -> T:
    """Call `condition` until it returns something true, and return that.

    `what` completes the sentence "waited N s, but ...". `timeout` is in seconds. It is no claim:
    let it be generous, a busy machine is slow. `log` returns text whose end the message quotes.

    Raises `TooLate` when the deadline passes.
    """
    deadline = time.monotonic() + timeout
    pause = SHORTEST_PAUSE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            quoted = f"\nThe log ends with:\n{tail(log())}" if log else ""
            raise TooLate(f"Waited {timeout:g} s, but {what}.{quoted}")
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)
