"""What the tests share: a mailroom with all its processes, and a program that uses it."""

import json
import secrets
import sys
from collections import Counter
from pathlib import Path

import httpx

from lab.bench import Bench, Process, Server, free_port, wait_until, whole_lines

SECONDS = 60  # how long a test waits for what must come, on a machine that has other things to do
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # what a browser says


class Mailroom:
    """A mail server with a ledger, gunicorn with two processes, and workers, on a bench.

    `mail` are words for the command line of the mail server: `["--later", "0.1"]`. `folder` is
    a copy of the example (`bench.copy`). Other words in capitals are settings: `RATE="5/second"`.
    It returns when all are ready. With `workers=0` nobody takes a task: call `hire` later.

    It speaks as a program does, and gets JSON. `room.web.get(path, headers=PAGE)` gets a page.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        mail: tuple[str, ...] | list[str] = (),
        workers: int = 1,
        concurrency: int = 2,
        folder: Path | None = None,
        **settings: object,
    ) -> None:
        self.bench, self.folder, self.concurrency = bench, folder, concurrency
        self.ledger_file = bench.folder / f"ledger-{secrets.token_hex(4)}"
        self.mail_options = [str(word) for word in mail]
        self.mail_port = free_port()
        settings = {"RATE": "10000/second", "RETRY_AFTER": 0.2, "SMTP_TIMEOUT": 60} | settings
        settings["SMTP_PORT"] = self.mail_port
        self.env = {f"MAILROOM_{name}": str(value) for name, value in settings.items()}
        self.workers: list[Process] = []

        self.start_mail_server(wait=False)
        self.server = self.serve(wait=False)
        self.url = self.server.url
        for _ in range(workers):
            self.hire(wait=False)
        self.wait_for_mail_server()
        self.web = httpx.Client(base_url=self.url, timeout=120)
        bench.all_ready()
        self.server.wait_until_it_answers()

    # Its processes

    @property
    def worker(self) -> Process:
        return self.workers[0]

    def hire(self, *, wait: bool = True, folder: Path | None = None, **settings: object) -> Process:
        """One more worker. `settings` are for it alone."""
        env = self.env | {f"MAILROOM_{name}": str(value) for name, value in settings.items()}
        worker = self.bench.worker(
            "make_celery",
            concurrency=self.concurrency,
            env=env,
            cwd=folder or self.folder,
            wait=wait,
        )
        self.workers.append(worker)
        return worker

    def serve(self, env=None, *, wait: bool = True) -> Server:
        """Gunicorn with two processes, as in production. Its `url` says where."""
        argv = [sys.executable, "-m", "gunicorn", "mailroom:create_app()", "--bind", "{address}"]
        argv += ["--workers", "2", "--preload", "--no-control-socket", "--timeout", "120"]
        return self.bench.serve(argv, env=self.env | (env or {}), cwd=self.folder, wait=wait)

    def start_mail_server(self, *, wait: bool = True, options: list[str] | None = None) -> None:
        """Start it, on the same port and with the same ledger as before."""
        argv = [sys.executable, "mailserver.py", "--port", str(self.mail_port)]
        argv += ["--ledger", str(self.ledger_file)]
        argv += self.mail_options if options is None else options
        self.mail = self.bench.process("mail", argv)
        if wait:
            self.wait_for_mail_server()

    def wait_for_mail_server(self) -> None:
        self.mail.wait_for("Taking mail", timeout=SECONDS)

    # What it is asked

    def post(self, subscribers: str = "", file: bytes | None = None, **form) -> httpx.Response:
        """Send the form. Without words of your own it is a mailing that can be sent."""
        form = {"subject": "Our summer", "text": "Look.", "subscribers": subscribers} | form
        # With a file the form goes out in parts, as from a browser. It may be empty.
        files = {"file": ("subscribers.csv", file or b"", "text/csv")}
        headers = form.pop("headers", None)
        return self.web.post("/mailings", data=form, files=files, headers=headers)

    def start(self, subscribers: str = "", file: bytes | None = None, **form) -> str:
        """Start a mailing. Returns its path: /mailings/<id>."""
        answer = self.post(subscribers, file, **form)
        assert answer.status_code == 202, f"{answer.text}\n{self.server.log()}"
        return answer.headers["Location"]

    def status(self, path: str) -> dict:
        """How a mailing stands, as JSON."""
        answer = self.web.get(path)
        assert answer.status_code == 200, f"{answer.text}\n{self.server.log()}"
        return answer.json()

    def wait_for(self, path: str, what: str, condition, timeout: float = SECONDS) -> dict:
        """Wait until `condition(status)` is true. `what` completes "waited 60 s, but"."""
        last: dict = {}

        def looked() -> bool:
            last.clear()
            last.update(self.status(path))
            return condition(last)

        wait_until(looked, what, timeout=timeout, log=lambda: f"{self.logs()}\nlast seen: {last}")
        return last

    def wait_until_over(self, path: str, timeout: float = SECONDS) -> dict:
        return self.wait_for(path, "the mailing is not over", lambda now: now["over"], timeout)

    def logs(self) -> str:
        return "\n".join(worker.log() for worker in self.workers)

    # What the mail server took

    def ledger(self) -> list[dict]:
        """A line for each mail that was taken: `at` (time), `to` (address), `mail` (its text)."""
        return [json.loads(line) for line in whole_lines(self.ledger_file)]

    def mails_by_address(self) -> Counter[str]:
        return Counter(line["to"] for line in self.ledger())


def people(count: int, prefix: str = "") -> str:
    """Subscribers for the form, a line each. The prefix tells the tests of a session apart."""
    prefix = prefix or secrets.token_hex(4)
    return "\n".join(f"{prefix}{n}@example.org, Reader {n}" for n in range(count))
