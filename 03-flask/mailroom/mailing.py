"""What the mailroom knows of a mailing: some keys in Redis, which forget themselves.

mailroom:<id>              its subject, text and times
mailroom:<id>:to           address -> name: everybody who shall get it
mailroom:<id>:begun        addresses whose mail somebody has begun to send. This is the marker
mailroom:<id>:sent         addresses whose mail the server has taken
mailroom:<id>:retrying     addresses for which the server said "later"
mailroom:<id>:failed       address -> reason
mailroom:<id>:unconfirmed  address -> why nobody knows
mailroom:<id>:issued       outlives the others: this mailing has existed
"""

import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from itertools import islice

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from mailroom.subscribers import Subscribers

ID = re.compile("[0-9a-f]{32}")
YEAR = 365 * 24 * 3600
DIED = "the worker that had begun to send it died before it wrote down what became of it"


class Unknown(LookupError):
    """There has never been a mailing with this id."""


class Expired(LookupError):
    """There has been one, and it is forgotten."""


def init_app(app: Flask) -> None:
    """Each process has its connections. A request waits for Redis two seconds at most."""
    app.extensions["mailings"] = Redis.from_url(
        os.environ.get("REDIS_URL", "redis://localhost:6379/0"),
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )


def new_id() -> str:
    """An id that nobody can guess: whoever has it can look, and cancel."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Counts:
    """How many of a mailing's subscribers are where."""

    total: int
    begun: int
    sent: int
    retrying: int
    failed: int
    unconfirmed: int
    bad: int  # lines without an address: they have failed without having begun

    @property
    def done(self) -> int:
        return self.sent + self.failed + self.unconfirmed

    @property
    def under_way(self) -> int:
        return self.begun + self.bad - self.done


class Mailing:
    """One mailing. It holds nothing itself: every question is answered by Redis."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.redis: Redis = current_app.extensions["mailings"]

    def key(self, part: str = "") -> str:
        return f"mailroom:{self.id}" + (part and f":{part}")

    # Its life

    def create(self, subject: str, text: str, who: Subscribers) -> bool:
        """Keep a new mailing. False: there is one with this id, and it stays as it is."""
        if self.redis.exists(self.key("issued")):
            return False
        everybody = [*who.people.items(), *((address, "") for address in who.bad)]
        draft = self.key(f"draft:{new_id()}")
        for start in range(0, len(everybody), 5000):
            with self.redis.pipeline() as pipe:
                pipe.hset(draft, mapping=dict(everybody[start : start + 5000]))
                pipe.expire(draft, 600)  # when Redis goes away halfway, nobody comes back for it
                pipe.execute()
        with self.change("to") as pipe:
            pipe.rename(draft, self.key("to"))
            kept = {"subject": subject, "text": text, "bad": len(who.bad)}
            pipe.hset(self.key(), mapping=kept)
            if who.bad:
                pipe.hset(self.key("failed"), mapping=who.bad)
                pipe.expire(self.key("failed"), current_app.config["KEEP"])
            pipe.set(self.key("issued"), 1, ex=YEAR)
        return True

    def is_the_same_as(self, subject: str, text: str, who: Subscribers) -> bool:
        """Whether this is what was kept: somebody has pressed the button twice."""
        kept = self.redis.hmget(self.key(), "subject", "text")
        return (*kept, self.total) == (subject, text, len(who.people) + len(who.bad))

    def must_exist(self) -> None:
        """Raises `Unknown` or `Expired`."""
        if not ID.fullmatch(self.id):
            raise Unknown  # "<id>:sent" is a key of ours as well, and no mailing
        if not self.redis.exists(self.key()):
            raise Expired if self.redis.exists(self.key("issued")) else Unknown

    def cancel(self) -> None:
        """Send nothing more. What is under way ends as it may."""
        self.set("cancelled", 1)

    def set(self, field: str, value: str | int) -> None:
        with self.change() as pipe:
            pipe.hset(self.key(), field, value)

    def get(self, field: str) -> str:
        return self.redis.hget(self.key(), field) or ""

    @property
    def cancelled(self) -> bool:
        """Whether nothing more shall be sent: because somebody said so, or all is forgotten."""
        cancelled, subject = self.redis.hmget(self.key(), "cancelled", "subject")
        return cancelled is not None or subject is None

    @property
    def stands_still(self) -> bool:
        """Whether nothing has changed for so long that somebody should look."""
        changed = float(self.get("changed") or 0)
        return time.time() - changed > current_app.config["STANDSTILL"]

    # Its subscribers

    @property
    def total(self) -> int:
        return self.redis.hlen(self.key("to"))

    def pages(self, size: int) -> Iterator[list[str]]:
        """All addresses, some at a time."""
        cursor = -1
        while cursor:
            cursor, page = self.redis.hscan(self.key("to"), max(cursor, 0), count=size)
            yield list(page)

    def without_outcome(self, addresses: list[str]) -> list[str]:
        """Those for which nothing is decided yet."""
        outcomes = self.outcomes(addresses)
        return [address for address in addresses if address not in outcomes]

    def outcomes(self, addresses: list[str]) -> Mapping[str, tuple[str, str]]:
        """For each address that has an outcome, which one it is and why."""
        if not addresses:
            return {}
        with self.redis.pipeline() as pipe:
            pipe.smismember(self.key("sent"), addresses)
            pipe.hmget(self.key("failed"), addresses)
            pipe.hmget(self.key("unconfirmed"), addresses)
            sent, failed, unconfirmed = pipe.execute()
        found = {}
        for number, address in enumerate(addresses):
            if sent[number]:
                found[address] = ("sent", "")
            elif failed[number]:
                found[address] = ("failed", failed[number])
            elif unconfirmed[number]:
                found[address] = ("unconfirmed", unconfirmed[number])
        return found

    def mail_to(self, address: str) -> EmailMessage:
        """The mail for one subscriber."""
        subject, text = self.redis.hmget(self.key(), "subject", "text")
        name = self.redis.hget(self.key("to"), address) or ""
        sender = current_app.config["SENDER"]
        message = EmailMessage()
        message["From"] = sender
        message["To"] = Address(display_name=name, addr_spec=address)
        # Python reads "=?...?=" as an encoded piece of a header, and a line can end in it.
        message["Subject"] = subject.replace("=?", "= ?")
        message["Date"] = formatdate()
        # The same for every attempt: mailboxes know a double by it.
        message["Message-ID"] = f"<{self.id}.{address}>"
        message["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe>"
        message.set_content(f"Dear {name},\n\n{text}\n" if name else f"{text}\n")
        return message

    # What becomes of a mail. Each is one step for Redis: all of it happens, or nothing.

    def begin(self, address: str) -> bool:
        """Set the marker. False: it was set, somebody has begun to send this mail before."""
        with self.redis.pipeline() as pipe:
            pipe.srem(self.key("retrying"), address)
            pipe.sadd(self.key("begun"), address)
            pipe.expire(self.key("begun"), current_app.config["KEEP"])
            return bool(pipe.execute()[1])

    def put_off(self, address: str) -> None:
        """The server has not taken the mail, for certain: it may be begun again."""
        with self.change("retrying") as pipe:
            pipe.srem(self.key("begun"), address)
            pipe.hdel(self.key("unconfirmed"), address)
            pipe.sadd(self.key("retrying"), address)

    def sent(self, address: str) -> None:
        with self.change("sent") as pipe:
            pipe.hdel(self.key("unconfirmed"), address)
            pipe.sadd(self.key("sent"), address)

    def failed(self, address: str, reason: str) -> None:
        with self.change("failed") as pipe:
            pipe.hdel(self.key("unconfirmed"), address)
            pipe.hset(self.key("failed"), address, reason)

    def unconfirmed(self, address: str, reason: str) -> None:
        with self.change("unconfirmed") as pipe:
            pipe.hset(self.key("unconfirmed"), address, reason)

    def begun_before(self, address: str) -> None:
        """A message comes again, and the marker is set: without an outcome, nobody knows.

        If the other worker is alive after all, it writes the outcome over this.
        """

        def note(pipe: Pipeline) -> None:
            known = pipe.sismember(self.key("sent"), address)
            known = known or pipe.hexists(self.key("failed"), address)
            known = known or not pipe.sismember(self.key("begun"), address)
            pipe.multi()
            if not known:
                pipe.hsetnx(self.key("unconfirmed"), address, DIED)
                pipe.expire(self.key("unconfirmed"), current_app.config["KEEP"])

        self.redis.transaction(note, self.key("sent"), self.key("failed"), self.key("begun"))

    # How it stands

    def counts(self) -> Counts:
        with self.redis.pipeline() as pipe:
            pipe.hlen(self.key("to"))
            for part in ("begun", "sent", "retrying"):
                pipe.scard(self.key(part))
            for part in ("failed", "unconfirmed"):
                pipe.hlen(self.key(part))
            pipe.hget(self.key(), "bad")
            *numbers, bad = pipe.execute()
        return Counts(*numbers, bad=int(bad or 0))

    def first(self, part: str, limit: int) -> dict[str, str]:
        """Some of those that are "failed" or "unconfirmed", with the reasons."""
        found = islice(self.redis.hscan_iter(self.key(part), count=limit), limit)
        return dict(sorted(found))

    def report(self) -> Iterator[tuple[str, str, str]]:
        """Address, outcome and reason of everybody. Some may come twice while it changes."""
        for page in self.pages(1000):
            outcomes = self.outcomes(page)
            for address in page:
                yield address, *outcomes.get(address, ("not sent", ""))

    @contextmanager
    def change(self, part: str = "") -> Iterator[Pipeline]:
        """A pipeline whose commands happen together, and note that something has changed."""
        with self.redis.pipeline() as pipe:
            yield pipe
            pipe.hset(self.key(), "changed", time.time())
            for key in {self.key(), self.key(part)}:
                pipe.expire(key, current_app.config["KEEP"])
            pipe.execute()
