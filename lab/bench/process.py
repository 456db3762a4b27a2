"""One process of a bench: a group of its own, its log in a file, its end awaited."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lab.bench.waiting import tail, wait_until
from lab.observe.records import RECORDS, record

# The shell tells the guard its process number before it becomes the program. From that moment on
# nothing can go wrong between "started" and "known": see lab/bench/guard.py.
ANNOUNCE_AND_BECOME = 'echo "group $$" >&0 && exec "$@" </dev/null'


class Died(AssertionError):
    """A process ended that should have gone on running."""


class Process:
    """A running program. Start one with `Bench.process`, `Bench.worker`, `Bench.beat`.

    `name` is what messages call it, `log_path` the file that gets its standard output and error.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log_path: Path,
        guard: IO[bytes],
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.cwd = cwd
        self.log_path = log_path
        self._guard = guard
        self._spawn()

    def _spawn(self) -> None:
        with open(self.log_path, "ab") as log:
            self._popen = subprocess.Popen(
                ["/bin/sh", "-c", ANNOUNCE_AND_BECOME, "sh", *self.argv],
                stdin=self._guard,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
            )

    # What it says

    def log(self) -> str:
        """Everything the process has printed so far, standard output and error together."""
        return self.log_path.read_text(errors="replace")

    def wait_for(self, text: str, *, timeout: float = 60.0) -> None:
        """Wait until `text` stands in the log.

        Raises `Died` when the process ends before, `TooLate` after `timeout` seconds.
        """

        def said() -> bool:
            running = self.running  # asked first: the last words of a dying process count
            if text in self.log():
                return True
            if not running:
                raise Died(
                    f"{self.name} ended with exit code {self.returncode} before it said {text!r}."
                    f"\nThe log ends with:\n{tail(self.log())}"
                )
            return False

        wait_until(said, f"{self.name} did not say {text!r}", timeout=timeout, log=self.log)

    # How it is

    @property
    def pid(self) -> int:
        """The process number, which is the number of its process group as well."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal, `None` while it runs."""
        return self._popen.poll()

    # Signals, and how it ends

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for the end of the process and return its exit code.

        Raises `TooLate` after `timeout` seconds; the process goes on.
        """
        wait_until(
            lambda: not self.running,
            f"{self.name} did not end",
            timeout=timeout,
            log=self.log,
        )
        self._end_group()
        return self._popen.wait()

    def send(self, number: int) -> None:
        """Send a signal to the process alone, as `kill PID` does."""
        self._popen.send_signal(number)

    def send_group(self, number: int) -> None:
        """Send a signal to the process and all its children, as Ctrl-C in a terminal does."""
        os.killpg(self.pid, number)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """The process and its children stand still in the middle of everything (SIGSTOP).

        They go on afterwards.
        """
        self.send_group(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send_group(signal.SIGCONT)

    def stop(self, timeout: float = 60.0) -> int:
        """Ask it to end (SIGTERM to the process alone) and wait. Returns the exit code."""
        if self.running:
            self.send(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> None:
        """SIGKILL to the process and all its children: no time for last words."""
        record("killed", folder=self.env.get(RECORDS), pid=self.pid)
        self._end_group()
        self._popen.wait()

    def _end_group(self) -> None:
        """Kill what is left of the group, and tell the guard that its number is free."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._popen.wait()
        self._guard.write(f"ended {self.pid}\n".encode())
        self._guard.flush()

    def __repr__(self) -> str:
        state = "running" if self.running else f"ended with {self.returncode}"
        return f"<{self.name}, pid {self.pid}, {state}>"
