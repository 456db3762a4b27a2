"""Given: how a mailing stands. Numbers for its page, and a line for everybody in the CSV file."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from flask import current_app

from mailroom import outcomes
from mailroom.record import Mailing

FORMULA = ("=", "+", "-", "@", "\t")  # how a cell begins that a spreadsheet would run


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


def count(mailing: Mailing) -> Counts:
    with mailing.redis.pipeline() as pipe:
        pipe.hlen(mailing.key("to"))
        for part in ("begun", "sent", "retrying"):
            pipe.scard(mailing.key(part))
        for part in ("failed", "unconfirmed"):
            pipe.hlen(mailing.key(part))
        pipe.hget(mailing.key(), "bad")
        *numbers, bad = pipe.execute()
    return Counts(*numbers, bad=int(bad or 0))


def stands_still(mailing: Mailing) -> bool:
    """Whether nothing has changed for so long that somebody should look."""
    changed = float(mailing.get("changed") or 0)
    return time.time() - changed > current_app.config["STANDSTILL"]


def first(mailing: Mailing, part: str, limit: int) -> dict[str, str]:
    """Some of those that are "failed" or "unconfirmed", with the reasons."""
    found = islice(mailing.redis.hscan_iter(mailing.key(part), count=limit), limit)
    return dict(sorted(found))


def everybody(mailing: Mailing) -> Iterator[tuple[str, str, str]]:
    """Address, outcome and reason of everybody. Some may come twice while it changes."""
    for page in mailing.pages(1000):
        found = outcomes.of(mailing, page)
        for address in page:
            yield address, *found.get(address, ("not sent", ""))


def as_csv(mailing: Mailing) -> Iterator[str]:
    """Everybody as lines for a spreadsheet, which must not take them for formulas."""
    yield "address,outcome,reason\r\n"
    for row in everybody(mailing):
        line = io.StringIO()
        csv.writer(line).writerow("'" + cell if cell.startswith(FORMULA) else cell for cell in row)
        yield line.getvalue()
