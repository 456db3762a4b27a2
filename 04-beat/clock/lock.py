"""Given: no overlap. While one run works, another one is refused."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import LockNotOwnedError

from clock.store import redis

logger = logging.getLogger(__name__)


class Taken(Exception):
    """Another run has the lock, and has not ended yet."""


@contextmanager
def only_one(name: str, seconds: float) -> Iterator[None]:
    """Hold the lock `name` inside the `with`, for `seconds` at most.

    The lock is a key in Redis. Its value is a token that only its holder knows, and it expires:
    when its holder is killed, nobody has to remove it by hand. Choose `seconds` longer than the
    work ever takes.

    Raises `Taken` when another run holds it.
    """
    lock = redis.lock(f"clock:lock:{name}", timeout=seconds, blocking=False)
    if not lock.acquire():
        raise Taken(f"{name}: another run has not ended yet")
    try:
        yield
    finally:
        try:
            lock.release()  # looks at the token first: the lock of another stays
        except LockNotOwnedError:
            logger.warning("%s took longer than %s s: another run may have begun", name, seconds)
