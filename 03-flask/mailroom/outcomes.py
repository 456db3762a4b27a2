"""Given: what became of each mail. Every step is one for Redis: all of it happens, or nothing."""

from collections.abc import Mapping

from mailroom.record import Mailing


def sent(mailing: Mailing, address: str) -> None:
    with mailing.change("sent") as pipe:
        pipe.hdel(mailing.key("unconfirmed"), address)
        pipe.sadd(mailing.key("sent"), address)


def failed(mailing: Mailing, address: str, reason: str) -> None:
    with mailing.change("failed") as pipe:
        pipe.hdel(mailing.key("unconfirmed"), address)
        pipe.hset(mailing.key("failed"), address, reason)


def unconfirmed(mailing: Mailing, address: str, reason: str) -> None:
    with mailing.change("unconfirmed") as pipe:
        pipe.hset(mailing.key("unconfirmed"), address, reason)


def of(mailing: Mailing, addresses: list[str]) -> Mapping[str, tuple[str, str]]:
    """For each address that has an outcome, which one it is and why."""
    if not addresses:
        return {}
    with mailing.redis.pipeline() as pipe:
        pipe.smismember(mailing.key("sent"), addresses)
        pipe.hmget(mailing.key("failed"), addresses)
        pipe.hmget(mailing.key("unconfirmed"), addresses)
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


def missing(mailing: Mailing, addresses: list[str]) -> list[str]:
    """Those for which nothing is decided yet."""
    decided = of(mailing, addresses)
    return [address for address in addresses if address not in decided]
