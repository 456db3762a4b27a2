"""Many clients at once: how long each waits, and how long somebody else waits meanwhile."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Load:
    """What was measured, in seconds: each request, the slowest of the others, and the whole."""

    times: list[float]
    slowest_other: float
    whole: float

    @property
    def per_second(self) -> float:
        return len(self.times) / self.whole

    def percentile(self, number: int) -> float:
        """The time that so many percent of the requests did not exceed."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[number - 1]


def under_load(
    request: Callable[[int], object], requests: int, clients: int, other: Callable[[], object]
) -> Load:
    """Make so many requests with so many clients at once. `request` gets its number.

    `other` is done again and again meanwhile: another page, which should not suffer.
    """

    def timed(action: Callable[[], object]) -> float:
        began = time.monotonic()
        action()
        return time.monotonic() - began

    began = time.monotonic()
    with ThreadPoolExecutor(clients) as crowd:
        waiting = [crowd.submit(timed, partial(request, number)) for number in range(requests)]
        others = [timed(other)]
        while not all(each.done() for each in waiting):
            others.append(timed(other))
    whole = time.monotonic() - began
    return Load(sorted(each.result() for each in waiting), max(others), whole)
