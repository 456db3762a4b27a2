"""The marker: nobody gets a mail twice.

Before a worker sends a mail, it puts the address into a set in Redis, `begun`. Only one worker can
put it there. Whoever finds it there does not send: not even when the message of a killed worker
comes again.
"""

from flask import current_app
from redis.client import Pipeline

from mailroom.record import Mailing

DIED = "the worker that had begun to send it died before it wrote down what became of it"


def begin(mailing: Mailing, address: str) -> bool:
    """Set the marker. False: it was set, somebody has begun to send this mail before."""
    with mailing.redis.pipeline() as pipe:
        pipe.srem(mailing.key("retrying"), address)
        pipe.sadd(mailing.key("begun"), address)
        pipe.expire(mailing.key("begun"), current_app.config["KEEP"])
        _, added, _ = pipe.execute()  # all three happen, or nothing
    return bool(added)


def take_back(mailing: Mailing, address: str) -> None:
    """The server has not taken the mail, for certain: it may be begun again."""
    with mailing.change("retrying") as pipe:
        pipe.srem(mailing.key("begun"), address)
        pipe.hdel(mailing.key("unconfirmed"), address)
        pipe.sadd(mailing.key("retrying"), address)


def begun_before(mailing: Mailing, address: str) -> None:
    """A message comes again, and the marker is set: without an outcome, nobody knows.

    If the other worker is alive after all, it writes the outcome over this.
    """
    sent, failed, begun = (mailing.key(part) for part in ("sent", "failed", "begun"))

    def note(pipe: Pipeline) -> None:
        known = pipe.sismember(sent, address) or pipe.hexists(failed, address)
        doubt = pipe.sismember(begun, address) and not known
        pipe.multi()
        if doubt:
            pipe.hsetnx(mailing.key("unconfirmed"), address, DIED)
            pipe.expire(mailing.key("unconfirmed"), current_app.config["KEEP"])

    # Redis does this again from the start when one of the three keys changes meanwhile.
    mailing.redis.transaction(note, sent, failed, begun)
