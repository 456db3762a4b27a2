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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

SEPARATOR = "\x06\x16"
BINDING = "_kombu.binding."
RESULT = "celery-task-meta-"
CONTROL = ("celeryev", "celery.pidbox", "reply.celery.pidbox")  # exchanges that are not for tasks
SHOWN = 5  # messages of a queue, and results, that are shown


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
    """A result in the result backend. `expires_in` is in seconds, `None` for never.

    `done_at` is the time of its end in UTC, as Celery writes it (ISO 8601).
    """

    id: str
    status: str
    result: Any
    expires_in: int | None
    done_at: str


@dataclass(frozen=True)
class Xray:
    """What Redis holds. Queues are in the order in which workers will take the messages, results
    in that of their end, the newest first."""

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
        found = scan(client)
        tasks: dict[str, list[str]] = {}
        lists = {key for key in found.lists if not key.endswith(".pidbox")}
        names = {key.partition(SEPARATOR)[0] for key in lists}

        with client.pipeline(transaction=False) as pipe:
            for key in found.bindings:
                pipe.smembers(key)
            for key in lists:
                pipe.lrange(key, 0, -1)
            for key in found.results:
                pipe.ttl(key)
            pipe.mget(found.results or [RESULT])
            pipe.hvals("unacked")
            # What has changed its type since it was found, or is of another one, does no harm.
            *answers, values, unacked = pipe.execute(raise_on_error=False)
        said = iter(answers)
        for key in found.bindings:
            members = sorted(member.split(SEPARATOR)[-1] for member in none_if_error(next(said)))
            if (name := key.removeprefix(BINDING)) not in CONTROL:
                tasks[name] = members
                names |= {queue for queue in members if queue}
        waiting = {key: none_if_error(next(said)) for key in lists}
        results = map(result_of, found.results, values, said)
        return cls(
            queues={name: messages_of(waiting, name) for name in sorted(names)},
            unacked=[
                Message.parse(raw, key)
                for raw, _exchange, key in map(json.loads, none_if_error(unacked))
            ],
            bindings=tasks,
            results=sorted(filter(None, results), key=lambda each: each.done_at, reverse=True),
        )

    def __str__(self) -> str:
        """The tables as plain text."""
        from rich.console import Console

        console = Console(width=100, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.queues:
            table = make_table("Queues", "queue", "waiting", "next", "arguments")
            for name, messages in self.queues.items():
                first, *others = [*messages[:SHOWN], None][: max(1, min(len(messages), SHOWN))]
                table.add_row(name, str(len(messages)), *columns(first))
                for message in others:
                    table.add_row("", "", *columns(message))
                add_rest(table, len(messages))
            yield table
        else:
            yield "Queues: none. Nothing was ever sent, and no worker asked."

        yield f"Taken by a worker, not acknowledged: {len(self.unacked)}"
        if self.unacked:
            table = make_table("", "queue", "", "task", "arguments")
            for message in self.unacked[:SHOWN]:
                table.add_row(message.queue, "", *columns(message))
            add_rest(table, len(self.unacked))
            yield table

        yield f"Results: {len(self.results)}"
        if self.results:
            table = make_table("", "state", "kept for", "id", "result")
            for result in self.results[:SHOWN]:
                kept = "for ever" if result.expires_in is None else f"{result.expires_in} s"
                table.add_row(result.status, kept, result.id, line(short(repr(result.result))))
            add_rest(table, len(self.results))
            yield table


def make_table(title: str, *headings: str) -> Table:
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold")
    for heading in headings:
        # Where the window is narrow, the last one is cut: half a number is a wrong number.
        table.add_column(heading, no_wrap=heading != headings[-1], overflow="ellipsis")
    return table


def columns(message: Message | None) -> tuple[Text, Text]:
    """What the tables show of a message: its task and its arguments."""
    return (line(message.task), line(call(message))) if message else (line(""), line(""))


def add_rest(table: Table, total: int) -> None:
    """The last row, when there are more than are shown."""
    if total > SHOWN:
        table.add_row("", "", f"… and {total - SHOWN} more", "")


def line(text: str) -> Text:
    """Text in which Rich sees no markup, and which stays on one line."""
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True)
class Keys:
    """The names of what Celery keeps: bindings, lists (some of them queues), results."""

    bindings: list[str]
    lists: list[str]
    results: list[str]


# Keys that Redis looks at in one step of a scan: it answers nobody else meanwhile.
STEP = 10_000


def scan(client: Any) -> Keys:
    """Find them, in one round trip for each `STEP` keys that Redis holds."""
    wanted: list[dict[str, Any]] = [
        {"match": f"{BINDING}*"},
        {"match": "*", "_type": "list"},
        {"match": f"{RESULT}*"},
    ]
    found: list[set[str]] = [set() for _ in wanted]
    cursors: dict[int, int] = dict.fromkeys(range(len(wanted)), 0)
    while cursors:
        with client.pipeline(transaction=False) as pipe:
            for number, cursor in cursors.items():
                pipe.scan(cursor, count=STEP, **wanted[number])
            answers = dict(zip(cursors, pipe.execute(), strict=True))
        for number, (_, keys) in answers.items():
            found[number] |= set(keys)
        cursors = {number: cursor for number, (cursor, _) in answers.items() if cursor}
    return Keys(*map(sorted, found))


def none_if_error(answer: Any) -> Any:
    """An answer of Redis; nothing, where it is an error."""
    return [] if isinstance(answer, Exception) else answer


def messages_of(lists: Mapping[str, list[str]], queue: str) -> list[Message]:
    """The messages of a queue, the next one first. Its priority lists follow one another."""
    messages = []
    for name in (queue, *(f"{queue}{SEPARATOR}{priority}" for priority in (3, 6, 9))):
        # Senders push on the left, workers pop on the right.
        for raw in reversed(lists.get(name, [])):
            try:
                messages.append(Message.parse(json.loads(raw), queue))
            except (ValueError, KeyError, TypeError):
                continue  # a list that is not a queue of Celery
    return messages


def result_of(key: str, raw: Any, ttl: Any) -> Result | None:
    """A result from what its key holds. `None` where it expired between the two looks."""
    if raw is None:
        return None
    meta = json.loads(raw)
    return Result(
        id=key.removeprefix(RESULT),
        status=meta["status"],
        result=meta["result"],
        expires_in=None if ttl < 0 else ttl,
        done_at=meta.get("date_done") or "",
    )


def call(message: Message) -> str:
    """The arguments as they would stand in a call."""
    args = message.args.strip("()").rstrip(",")
    kwargs = "" if message.kwargs in ("", "{}") else f"**{message.kwargs}"
    return short(", ".join(part for part in (args, kwargs) if part))


def short(text: str, length: int = 44) -> str:
    """A text that fits. Its middle goes: two paths mostly differ at their end."""
    half = (length - 1) // 2
    return text if len(text) <= length else f"{text[:half]}…{text[-half:]}"
