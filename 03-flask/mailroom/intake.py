"""Given: how a mailing comes into the record, and how it is found there."""

import re
import secrets

from flask import abort, current_app

from mailroom.record import Mailing
from mailroom.subscribers import Subscribers

ID = re.compile("[0-9a-f]{32}")
YEAR = 365 * 24 * 3600


def new_id() -> str:
    """An id that nobody can guess: whoever has it can look, and cancel."""
    return secrets.token_hex(16)


def keep(mailing: Mailing, subject: str, text: str, who: Subscribers) -> bool:
    """Keep a new mailing. False: there is one with this id, and it stays as it is."""
    redis, key = mailing.redis, mailing.key
    if redis.exists(key("issued")):
        return False
    everybody = [*who.people.items(), *((address, "") for address in who.bad)]
    draft = key(f"draft:{new_id()}")
    for start in range(0, len(everybody), 5000):
        with redis.pipeline() as pipe:
            pipe.hset(draft, mapping=dict(everybody[start : start + 5000]))
            pipe.expire(draft, 600)  # when Redis goes away halfway, nobody comes back for it
            pipe.execute()
    with mailing.change("to") as pipe:
        pipe.rename(draft, key("to"))
        pipe.hset(key(), mapping={"subject": subject, "text": text, "bad": len(who.bad)})
        if who.bad:
            pipe.hset(key("failed"), mapping=who.bad)
            pipe.expire(key("failed"), current_app.config["KEEP"])
        pipe.set(key("issued"), 1, ex=YEAR)
    return True


def is_the_same(mailing: Mailing, subject: str, text: str, who: Subscribers) -> bool:
    """Whether this is what was kept: somebody has pressed the button twice."""
    kept = mailing.redis.hmget(mailing.key(), "subject", "text")
    return (*kept, mailing.total) == (subject, text, len(who.people) + len(who.bad))


def find(id: str) -> Mailing:
    """The mailing with this id. The answer is 404 if there was none, 410 if it is forgotten."""
    mailing = Mailing(id)
    if not ID.fullmatch(id):
        abort(404)  # "<id>:sent" is a key of ours as well, and no mailing
    if not mailing.redis.exists(mailing.key()):
        abort(410 if mailing.redis.exists(mailing.key("issued")) else 404)
    return mailing
