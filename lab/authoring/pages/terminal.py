"""A terminal as a learner has one."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from lab.authoring.pages.comparing import Mismatch

DEADLINE = 180.0  # seconds for a command, or for a line to appear

# The prompt holds the exit code and the folder. No program prints these brackets. An activated
# environment puts its name before them.
PROMPT = re.compile(r"(?:\([\w.-]+\) )?⟦(\d+) (.*)⟧ $")
PYTHON_PROMPT = re.compile(r"^(>>>|\.\.\.) $", re.M)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r+(?=\n)")


class Terminal:
    """A shell in a pseudo-terminal of 100 columns, as a learner has one."""

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]) -> None:
        import pexpect

        self.name = name
        self.screen = ""  # what was printed since the last command and not yet compared
        self.command = "the shell"  # what was typed last
        self.expected = 0  # its exit code
        self.line: int | None = None  # where the page says so
        self.end: int | None = None  # the line of the page after what it shows of it
        self.open_end = False  # whether the page shows the rest of its output as "..."
        self.folder = folder
        self.child: Any = pexpect.spawn(
            "/bin/bash",
            ["--noprofile", "--norc", "--noediting"],
            cwd=str(folder),
            env={**env, "PS1": "⟦$? $PWD⟧ ", "PS2": ""},
            encoding="utf-8",
            codec_errors="replace",
            echo=False,
            dimensions=(50, 100),
        )
        self.unread: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.come_back()

    def listen(self) -> None:
        """Take what is printed, always: a program that nobody reads stands still."""
        import pexpect

        while True:
            try:
                self.unread.put(self.child.read_nonblocking(65536, timeout=None))
            except (pexpect.EOF, OSError, ValueError):  # it has ended, or was closed
                return

    def look(self) -> str:
        """Wait until nothing is printed for a moment, and return all that was not compared yet."""
        enough = time.monotonic() + 1  # a server may never be silent
        while time.monotonic() < enough:
            try:
                self.screen = CONTROL.sub("", self.screen + self.unread.get(timeout=0.05))
            except Empty:
                break
        return self.screen

    @property
    def exit_code(self) -> int | None:
        """That of the command when the prompt is back, else `None`."""
        found = PROMPT.search(self.look())
        if not found:
            return None
        self.folder = Path(found[2])
        return int(found[1])

    @property
    def printed(self) -> str:
        """What was printed, without a prompt at its end."""
        return PYTHON_PROMPT.sub("", PROMPT.sub("", self.screen))

    def type(self, line: str, at: int | None = None) -> None:
        """Type a line, which stands in line `at` of the page, and press return."""
        self.command, self.screen, self.expected, self.open_end = line, "", 0, False
        self.line, self.end = at, None
        self.child.setecho(False)  # Django's server turns the echo on
        self.child.sendline(line)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline or not self.child.isalive():
                raise Mismatch(f"{what}. Terminal {self.name!r} shows:\n{self.screen}", self.line)

    def come_back(self) -> int:
        """Wait until the shell waits for a command. Returns the exit code of the last one."""
        self.wait(
            lambda: self.exit_code is not None,
            f"{self.command!r} goes on running. If it is a server, the page must press Ctrl-C "
            "there, or use another terminal",
        )
        code = self.exit_code
        assert code is not None
        return code

    def close(self) -> None:
        """Kill what runs in the foreground, then the shell.

        To close the terminal alone is not enough: a Celery worker answers SIGHUP by starting again.
        """
        import pexpect

        try:
            foreground = os.tcgetpgrp(self.child.child_fd)
            if foreground > 1:
                os.killpg(foreground, signal.SIGKILL)
        except OSError:
            pass  # the shell has ended already
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:
            pass  # it has not died within a tenth of a second: SIGKILL is on its way
