"""The bench: a private broker, the chapter on the path, and processes that end with it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from lab import chapters
from lab.bench.broker import Broker
from lab.bench.copies import NOT_THE_EXAMPLE, diff
from lab.bench.isolation import celery_knows, forget_modules_of, forget_tasks_of
from lab.bench.ports import free_port
from lab.bench.process import Process
from lab.bench.server import Server
from lab.bench.waiting import wait_until
from lab.bench.worker import WORKER_READY, Worker, celery
from lab.observe.records import RECORDS

if TYPE_CHECKING:
    from lab.observe.timeline import Timeline
    from lab.observe.xray import Xray

P = TypeVar("P", bound=Process)

GUARD = Path(__file__).with_name("guard.py")

# Seconds until a process must be ready: twenty workers that start at once take their time.
READY = 60.0

# What the processes of a bench get in their environment, and this process does not.
ONLY_THEIRS = {"TMPDIR", "PATH", "PYTHONUNBUFFERED"}


class Bench:
    """A place to try things with a chapter's example, on a broker of its own.

    ::

        with Bench("01-first-steps") as bench:
            worker = bench.worker("contact_sheet", concurrency=2)
            ...

    Inside the `with`, this process and everything the bench starts find the broker: the
    environment variables `CELERY_BROKER_URL`, `CELERY_RESULT_BACKEND` and `REDIS_URL` point at
    it, and the chapter's modules can be imported. At its end, be it an exception, Ctrl-C or
    SIGKILL, every process is gone, and so is the bench's folder.

    `chapter` is the folder of the example: a name in the course ("01-first-steps"), or a path.
    `broker_options` are settings of the server and `broker_port` is its port (see `Broker`).
    What takes long calls `bench.show("340 of 1000")`: `show` puts it on the screen.

    A notebook, where a `with` cannot span cells, calls `start` and `close`.
    """

    def __init__(
        self,
        chapter: str | Path,
        *,
        broker_options: Mapping[str, str] | None = None,
        broker_port: int | None = None,
        show: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.chapter = chapter if isinstance(chapter, Path) else chapters.find(chapter).folder
        self.broker_options = broker_options
        self.broker_port = broker_port
        self.show = show
        self.processes: list[Process] = []
        self.diffs: list[str] = []

    # Beginning and end

    def __enter__(self) -> Bench:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> Bench:
        """Start the broker and point this process at it."""
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us, not for the guard
        )
        assert self._guard.stdin is not None
        self._guard_input = self._guard.stdin
        self.folder = Path(tempfile.gettempdir()).resolve() / f"lab-{secrets.token_hex(6)}"
        self._guard_input.write(f"folder {self.folder}\n".encode())
        self.folder.mkdir(mode=0o700)
        self._environ_before = dict(os.environ)
        self._path_before = list(sys.path)
        self._celery_before = celery_knows()
        try:
            for name in ("records", "logs", "tmp"):
                (self.folder / name).mkdir()
            self._own_env = {
                RECORDS: str(self.folder / "records"),
                "CELERY_LOADER": "lab.observe.recorder:Loader",
                "TMPDIR": str(self.folder / "tmp"),
                "PYTHONUNBUFFERED": "1",
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            }
            self.broker = Broker(
                folder=self.folder / "broker",
                env=self.env,
                guard=self._guard_input,
                options=self.broker_options,
                port=self.broker_port,
            )
            self.processes.append(self.broker)
            self._own_env |= {
                "CELERY_BROKER_URL": self.broker.url,
                "CELERY_RESULT_BACKEND": self.broker.url,
                "REDIS_URL": self.broker.url,
            }
            # This process sends tasks too. It keeps its own TMPDIR and PATH.
            for name in ("CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
                os.environ.pop(name, None)
            os.environ |= {
                name: value for name, value in self._own_env.items() if name not in ONLY_THEIRS
            }
            sys.path.insert(0, str(self.chapter))
            forget_modules_of(self.chapter)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End every process, remove the folder, and leave this process as it was before."""
        self._guard_input.close()  # the guard does the rest
        self._guard.wait()
        for process in self.processes:
            process._popen.wait()
        os.environ.clear()
        os.environ |= self._environ_before
        sys.path[:] = self._path_before
        forget_modules_of(self.chapter)
        forget_tasks_of(self.chapter, but=self._celery_before)

    # What runs on it

    @property
    def env(self) -> dict[str, str]:
        """The environment that processes of this bench get."""
        return {**os.environ, **self._own_env}

    def process(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        ready: str | None = None,
        timeout: float = READY,
    ) -> Process:
        """Start any program, in the chapter's folder.

        `ready` is the text in its log to wait for, `None` to go on at once. In `env`, `None`
        removes a variable.

        Raises `Died` when it ends before it is ready, `TooLate` after `timeout` seconds.
        """
        return self._start(Process, name, argv, cwd=cwd, env=env, ready=ready, timeout=timeout)

    def _start(
        self,
        kind: type[P],
        name: str,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None,
        env: Mapping[str, str | None] | None,
        ready: str | None,
        timeout: float = READY,
    ) -> P:
        merged: dict[str, str | None] = {**self.env, **(env or {})}
        process = kind(
            name,
            [str(word) for word in argv],
            env={key: value for key, value in merged.items() if value is not None},
            cwd=cwd or self.chapter,
            log_path=self.folder / "logs" / f"{len(self.processes):02}-{name}.log",
            guard=self._guard_input,
        )
        self.processes.append(process)
        if ready is not None:
            process.wait_for(ready, timeout=timeout)
        return process

    def worker(
        self,
        app: str,
        *,
        concurrency: int = 1,
        queues: str | None = None,
        pool: str | None = None,
        options: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        wait: bool = True,
    ) -> Worker:
        """Start ``celery -A app worker`` and return when it is ready.

        `options` are further words of the command line. With ``wait=False`` it returns at once,
        so that several can start at the same time; call `all_ready` later.
        """
        number = 1 + sum(isinstance(process, Worker) for process in self.processes)
        name = f"worker{number}"
        argv = celery(app, "worker", "--loglevel", "INFO", "--hostname", f"{name}@bench")
        argv += ["--concurrency", str(concurrency), "--without-mingle", "--without-gossip"]
        argv += ["--queues", queues] if queues else []
        argv += ["--pool", pool] if pool else []
        argv += options
        ready = WORKER_READY if wait else None
        worker = self._start(Worker, name, argv, env=env, cwd=cwd, ready=ready)
        if wait and pool is None and "CELERY_LOADER" in worker.env:
            # A worker may say that it is ready before its pool processes have said so.
            wait_until(
                lambda: len(worker.pool()) >= concurrency,
                f"{name} did not start {concurrency} pool processes",
                log=worker.log,
            )
        return worker

    def all_ready(self) -> None:
        """Wait until every worker that runs is ready: of those that were started side by side."""
        for process in self.processes:
            if isinstance(process, Worker) and process.running:
                process.wait_for(WORKER_READY, timeout=READY)

    def serve(
        self,
        argv: Sequence[str | Path],
        *,
        name: str = "web",
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        wait: bool = True,
    ) -> Server:
        """Start a web server on a free port, and return when it answers. Its `url` says where.

        In `argv`, ``{address}`` stands for host and port, ``{port}`` for the port alone:
        ``["gunicorn", "album.wsgi", "--bind", "{address}"]``. With ``wait=False`` it returns at
        once; call `wait_until_it_answers` later.
        """
        port = str(free_port())
        address = f"127.0.0.1:{port}"
        words = [str(word).replace("{address}", address).replace("{port}", port) for word in argv]
        server = self._start(Server, name, words, cwd=cwd, env=env, ready=None)
        server.address = address
        if wait:
            server.wait_until_it_answers()
        return server

    def beat(self, app: str, *, options: Sequence[str] = ()) -> Process:
        """Start ``celery -A app beat`` and return when it has begun to keep time.

        Its schedule file lies in the bench's folder, never in the chapter.
        """
        schedule = self.folder / "celerybeat-schedule"
        argv = celery(app, "beat", "--loglevel", "INFO", "--schedule", str(schedule), *options)
        return self.process("beat", argv, ready="beat: Starting...")

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float = 60.0,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
    ) -> Process:
        """Run a program to its end. The result has `returncode` and `log()`."""
        process = self.process(Path(argv[0]).name, argv, cwd=cwd, env=env)
        process.wait(timeout)
        return process

    def python(
        self,
        code: str,
        *,
        timeout: float = 60.0,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
    ) -> str:
        """Run some lines of Python in a process of their own, and return what they print.

        They can import the example. Errors are part of what they print.
        """
        client = self.start_python(code, cwd=cwd, env=env)
        client.wait(timeout)
        return client.log()

    def start_python(
        self, code: str, *, cwd: Path | None = None, env: Mapping[str, str | None] | None = None
    ) -> Process:
        """Start some lines of Python in a process of their own: several run side by side."""
        return self.process("client", [sys.executable, "-c", code], cwd=cwd, env=env)

    def copy(self, edit: Mapping[str, tuple[str, str]]) -> Path:
        """A copy of the example with a small change, for what is to be broken.

        `edit` gives for a file the text to look for and what to put in its place. The folder
        that is returned is a `cwd` for `worker`, `run`, `python`. `lab run` shows the change.

        Raises `ValueError` when the text does not stand in the file exactly once: a change that
        went stale must not go unnoticed.
        """
        folder = self.folder / "copies" / secrets.token_hex(4)
        shutil.copytree(self.chapter, folder, ignore=NOT_THE_EXAMPLE)
        for name, (old, new) in edit.items():
            file = folder / name
            before = file.read_text()
            if before.count(old) != 1:
                raise ValueError(f"{name} contains {before.count(old)} times, not once: {old!r}")
            file.write_text(before.replace(old, new))
            self.diffs.append(diff(name, before, file.read_text()))
        return folder

    def use(self, folder: Path) -> Path:
        """Work in a copy from now on: processes start there, and this process imports from it."""
        sys.path.remove(str(self.chapter))
        forget_modules_of(self.chapter)
        forget_tasks_of(self.chapter, but=self._celery_before)
        self.chapter = folder
        sys.path.insert(0, str(folder))
        return folder

    # What it shows

    def xray(self) -> Xray:
        """What Redis holds at this moment."""
        from lab.observe.xray import Xray

        return Xray.of(self.broker.client)

    def timeline(self) -> Timeline:
        """What ran where and when, so far."""
        from lab.observe.timeline import Timeline

        return Timeline.read(self.folder / "records")
