"""Given: the record of a mailing, some keys in Redis, which forget themselves.

mailroom:<id>              its subject, text and times
mailroom:<id>:to           address -> name: everybody who is to get it
mailroom:<id>:begun        addresses whose mail somebody has begun to send. This is the marker
mailroom:<id>:sent         addresses whose mail the server has taken
mailroom:<id>:retrying     addresses for which the server said "later"
mailroom:<id>:failed       address -> reason
mailroom:<id>:unconfirmed  address -> why nobody knows
mailroom:<id>:issued       outlives the others: this mailing has existed
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from redis import Redis
from redis.client import Pipeline


class Mailing:
    """One mailing. It holds nothing itself: every question is answered by Redis."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.redis: Redis = current_app.extensions["memory"]

    def key(self, part: str = "") -> str:
        return f"mailroom:{self.id}" + (part and f":{part}")

    def get(self, field: str) -> str:
        return self.redis.hget(self.key(), field) or ""

    def set(self, field: str, value: str | int) -> None:
        with self.change() as pipe:
            pipe.hset(self.key(), field, value)

    @contextmanager
    def change(self, part: str = "") -> Iterator[Pipeline]:
        """Commands for Redis that happen together, and a note that something has changed."""
        with self.redis.pipeline() as pipe:
            yield pipe
            pipe.hset(self.key(), "changed", time.time())
            for key in {self.key(), self.key(part)}:
                pipe.expire(key, current_app.config["KEEP"])
            pipe.execute()

    def cancel(self) -> None:
        """Send nothing more. What is under way ends as it may."""
        self.set("cancelled", 1)

    @property
    def cancelled(self) -> bool:
        """Whether nothing more may be sent: because somebody said so, or all is forgotten."""
        cancelled, subject = self.redis.hmget(self.key(), "cancelled", "subject")
        return cancelled is not None or subject is None

    @property
    def total(self) -> int:
        return self.redis.hlen(self.key("to"))

    def pages(self, size: int) -> Iterator[list[str]]:
        """All addresses, some at a time."""
        cursor = -1
        while cursor:
            cursor, page = self.redis.hscan(self.key("to"), max(cursor, 0), count=size)
            yield list(page)
