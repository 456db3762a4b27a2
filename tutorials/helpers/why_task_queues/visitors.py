"""Visitors of a website. They come when they come, also while others still wait."""

import http.client
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """One request. Its times are readings of `time.monotonic`, in seconds."""

    path: str
    came: float
    answered: float

    @property
    def waited(self):
        return self.answered - self.came


def visit_all(address, plan):
    """Make the requests of a plan, and return a `Visit` for each.

    A plan is a list of (second, method, path). Each visitor has a thread, sleeps until it is time,
    and asks. A visitor who waits does not keep the next one from coming.

    Raises `AssertionError` when a page is not there.
    """
    start = time.monotonic() + 0.3  # until then all threads are there

    def visit(second, method, path):
        time.sleep(max(0.0, start + second - time.monotonic()))
        came = time.monotonic()
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status < 400, f"{method} {path}: {answer.status} {answer.reason}"
        return Visit(path, came, time.monotonic())

    with ThreadPoolExecutor(len(plan)) as crowd:
        return list(crowd.map(visit, *zip(*plan, strict=True)))


def waits(visits, path):
    """How long those who asked for this page have waited, in seconds."""
    return [visit.waited for visit in visits if visit.path.partition("?")[0] == path]


def p95(times):
    """The time that 95 of 100 did not exceed, in seconds."""
    return statistics.quantiles(times, n=100, method="inclusive")[94]
