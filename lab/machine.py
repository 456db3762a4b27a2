"""The machine: whether its cores are idle and whole, and how to keep all of them busy."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

# The first that is here is used. Without windows to draw, the same pages cost half the processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

BUSY = 0.25  # the share of the machine from which on speed says nothing


def cores_are_idle() -> bool:
    """Whether at most a quarter of the machine is at work, measured for a quarter of a second."""
    return bool(psutil.cpu_percent(0.25) < 100 * BUSY)


COUNT = """
import time
begun = time.perf_counter()
sum(number * number for number in range(3_000_000))
print(time.perf_counter() - begun)
"""


def cores_are_whole() -> bool:
    """Whether a process on each core computes nearly as fast as one process alone.

    On a virtual machine it may not: a core can be half of one, and who else uses the other half
    is not seen from inside.
    """

    def slowest(processes: int) -> float:
        command = [sys.executable, "-c", COUNT]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(processes)]
        return max(float(process.communicate()[0]) for process in started)

    cores = os.cpu_count() or 1
    # It changes from one moment to the next.
    return all(slowest(cores) < 1.4 * slowest(1) for _ in range(3))


class OtherWork:
    """Looks every second how much of the machine others use: neither this process nor `groups`.

    `groups` returns the process groups that do not count as others. `most` is the largest share
    seen, from 0 to 1.
    """

    def __init__(self, groups: Callable[[], set[int]]) -> None:
        self.groups = groups
        self.most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> OtherWork:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _look(self) -> None:
        ours, (busy, total) = self._ours(), busy_and_total()
        while not self._done.wait(1):
            ours_now, (busy_now, total_now) = self._ours(), busy_and_total()
            mine = sum(used - ours.get(pid, 0) for pid, used in ours_now.items())
            share = (busy_now - busy - mine) / max(total_now - total, 0.01)
            self.most = max(self.most, share)
            ours, busy, total = ours_now, busy_now, total_now

    def _ours(self) -> dict[int, float]:
        """For each process of ours the seconds that it has computed."""
        groups = self.groups()
        used = {}
        for process in psutil.process_iter():
            try:
                if process.pid == os.getpid() or os.getpgid(process.pid) in groups:
                    times = process.cpu_times()
                    used[process.pid] = times.user + times.system
            except (psutil.Error, OSError):
                continue  # it ended between the two looks, or it is somebody else's
        return used


def busy_and_total() -> tuple[float, float]:
    """Seconds since the machine started, of all its cores: at work, and altogether."""
    times = psutil.cpu_times()._asdict()
    total = sum(times.values()) - times.get("guest", 0) - times.get("guest_nice", 0)
    return total - times["idle"] - times.get("iowait", 0), total


@contextmanager
def all_cores_busy() -> Iterator[None]:
    """Keep every core at work for as long as the `with` lasts.

    Each hog ends by itself when its standard input closes: none survives us.
    """
    hog = "import sys, threading\nthreading.Thread(target=sys.stdin.read).start()\n"
    hog += "while threading.active_count() > 1: pass"
    command = [sys.executable, "-c", hog]
    hogs = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in hogs:
            process.kill()
            process.wait()
