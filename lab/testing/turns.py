"""One queue for the tests of all folders: a test waits for its turn, and the longest go first.

Each folder is a pytest session of its own, because two chapters may both have a module called
`tasks`. To run one session after the other would leave cores idle at the end of each; to run all
at once would start a hundred workers side by side. So all sessions are open at the same time, and
before each test its process asks here. `Turns` listens on a socket; a connection is a turn, asked
for with the number of seconds that the test is known to take, and it ends when the connection
does, however that happens.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = "LAB_TEST_TURNS"


class Turns:
    """Gives so many turns at a time. `waiting` are the seconds of those who wait for one.

    `free` turns can be had at once, and `ended` are over.
    """

    def __init__(self, number: int) -> None:
        self.free, self.ended = number, 0
        self.waiting: list[float] = []
        self._changed = threading.Condition()
        self._folder = tempfile.TemporaryDirectory(prefix="lab-turns-")
        self.address = str(Path(self._folder.name) / "socket")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.address)
        self._socket.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                seconds = float(connection.recv(100))
            except (OSError, ValueError):
                return
            with self._changed:
                self.waiting.append(seconds)
                self._changed.wait_for(lambda: self.free and seconds >= max(self.waiting))
                self.waiting.remove(seconds)
                self.free -= 1
                self._changed.notify_all()
            try:
                connection.sendall(b".")
                connection.recv(1)  # nothing more is said: the end is the end of the turn
            except OSError:
                pass
            with self._changed:
                self.free += 1
                self.ended += 1
                self._changed.notify_all()

    def close(self) -> None:
        self._socket.close()
        self._folder.cleanup()


@contextmanager
def turn(seconds: float) -> Iterator[None]:
    """Wait for a turn of a test that takes about so long. Without a queue, begin at once."""
    address = _address()
    if address is None:
        yield
        return
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(str(seconds).encode())
        connection.recv(1)
        yield


_found: str | None = None


def _address() -> str | None:
    """Where the queue is. It leaves the environment: what a test starts must not queue as well."""
    global _found
    _found = os.environ.pop(ADDRESS, _found)
    return _found
