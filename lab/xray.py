"""What Redis holds for Celery at one moment, in the words of the course.

Kombu's Redis transport keeps a queue as a list, with three more lists for priorities below the
highest (`celery\\x06\\x163` and so on), the messages a worker has taken and not yet acknowledged
in the hash `unacked`, and the binding of exchanges to queues in sets `_kombu.binding.*`. Celery
keeps a result in a string `celery-task-meta-<id>`. (Source: kombu/transport/redis.py,
celery/backends/redis.py of 5.7, and a look with MONITOR.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

SEPARATOR = "\x06\x16"
BINDING = "_kombu.binding."
RESULT = "celery-task-meta-"
CONTROL = ("celeryev", "celery.pidbox", "reply.celery.pidbox")  # exchanges that are not for tasks
SHOWN = 5  # messages and results a table names one by one


@dataclass(frozen=True)
class Message:
    """A message that waits in a queue, or that a worker has taken and not acknowledged.

    `body` is what the worker will call the task with: ``[args, kwargs, embed]``, or `None` when
    it is not JSON.
    """

    id: str
    task: str
    args: str
    kwargs: str
    queue: str
    headers: Mapping[str, Any]
    body: Any

    @classmethod
    def parse(cls, raw: Mapping[str, Any], queue: str) -> Message:
        headers = raw["headers"]
        try:
            body = json.loads(base64.b64decode(raw["body"]))
        except (ValueError, TypeError):
            body = None
        return cls(
            id=headers.get("id", "?"),
            task=headers.get("task", "?"),
            args=headers.get("argsrepr", ""),
            kwargs=headers.get("kwargsrepr", ""),
            queue=queue,
            headers=headers,
            body=body,
        )


@dataclass(frozen=True)
class Result:
    """A result in the result backend. `expires_in` is in seconds, `None` for never."""

    id: str
    status: str
    result: Any
    expires_in: int | None


@dataclass(frozen=True)
class Xray:
    """What Redis holds. Lists are in the order in which workers will take them."""

    queues: Mapping[str, list[Message]]
    unacked: list[Message]
    bindings: Mapping[str, list[str]]
    results: list[Result]

    @property
    def lengths(self) -> dict[str, int]:
        """Messages that wait, per queue."""
        return {name: len(messages) for name, messages in self.queues.items()}

    @classmethod
    def of(cls, client: Any) -> Xray:
        """Look at one Redis database with a redis-py client that returns text. Reads only.

        Raises `redis.exceptions.ConnectionError` when nobody answers.
        """
        bindings = {
            key.removeprefix(BINDING): sorted(
                member.split(SEPARATOR)[-1] for member in client.smembers(key)
            )
            for key in client.scan_iter(f"{BINDING}*")
        }
        tasks = {name: queues for name, queues in bindings.items() if name not in CONTROL}
        names = {queue for queues in tasks.values() for queue in queues if queue}
        names |= {
            key.partition(SEPARATOR)[0]
            for key in client.scan_iter("*", _type="list")
            if not key.endswith(".pidbox")
        }
        return cls(
            queues={name: waiting(client, name) for name in sorted(names)},
            unacked=[
                Message.parse(raw, key)
                for raw, _exchange, key in map(json.loads, client.hvals("unacked"))
            ],
            bindings=tasks,
            results=sorted(results(client), key=lambda result: result.id),
        )

    def __str__(self) -> str:
        """The tables as plain text."""
        from rich.console import Console

        console = Console(width=100, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.table import Table
        from rich.text import Text

        table = Table(title="Queues", title_justify="left", title_style="bold")
        for column in ("queue", "waiting", "next message", "arguments"):
            table.add_column(column, justify="right" if column == "waiting" else "left")
        for name, messages in self.queues.items():
            first = messages[:SHOWN]
            table.add_row(
                Text(name),
                str(len(messages)),
                lines((message.task for message in first), len(messages)),
                lines(call(message) for message in first),
            )
        yield table if self.queues else "Queues: none. Nothing was ever sent, and no worker asked."

        if self.unacked:
            table = Table("task", "arguments", "id", title_justify="left", title_style="bold")
            table.title = f"Taken by a worker, not acknowledged: {len(self.unacked)}"
            for message in self.unacked[:SHOWN]:
                table.add_row(Text(message.task), Text(call(message)), message.id)
            yield table
        else:
            yield "Taken by a worker, not acknowledged: 0"

        if self.results:
            table = Table("id", "state", "result", "kept for", title_justify="left")
            table.title, table.title_style = f"Results: {len(self.results)}", "bold"
            for result in self.results[:SHOWN]:
                kept = "for ever" if result.expires_in is None else f"{result.expires_in} s"
                table.add_row(result.id, result.status, Text(short(repr(result.result))), kept)
            yield table
        else:
            yield "Results: 0"


def waiting(client: Any, queue: str) -> list[Message]:
    """The messages of a queue, the next one first. Its priority lists follow one another."""
    lists = [queue, *(f"{queue}{SEPARATOR}{priority}" for priority in (3, 6, 9))]
    messages = []
    for name in lists:
        # Senders push on the left, workers pop on the right.
        for raw in reversed(client.lrange(name, 0, -1)):
            try:
                messages.append(Message.parse(json.loads(raw), queue))
            except (ValueError, KeyError, TypeError):
                continue  # a list that is not a queue of Celery
    return messages


def results(client: Any) -> Iterable[Result]:
    for key in client.scan_iter(f"{RESULT}*"):
        raw, ttl = client.get(key), client.ttl(key)
        if raw is None:
            continue  # it expired between the two looks
        meta = json.loads(raw)
        yield Result(
            id=key.removeprefix(RESULT),
            status=meta["status"],
            result=meta["result"],
            expires_in=None if ttl < 0 else ttl,
        )


def call(message: Message) -> str:
    """The arguments as they would stand in a call."""
    args = message.args.strip("()").rstrip(",")
    kwargs = "" if message.kwargs in ("", "{}") else f"**{message.kwargs}"
    return short(", ".join(part for part in (args, kwargs) if part))


def short(text: str, length: int = 48) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def lines(texts: Iterable[str], total: int = 0) -> Any:
    """Several lines of one cell, and how many are not shown."""
    from rich.text import Text

    shown = list(texts)
    if total > len(shown):
        shown.append(f"… and {total - len(shown)} more")
    return Text("\n".join(shown))
