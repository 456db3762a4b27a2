"""Given: the clock's own connection to Redis, for heartbeats, locks, digests, reminders."""

import os

from redis import Redis

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
YEAR = 365 * 24 * 3600

redis = Redis.from_url(REDIS_URL, decode_responses=True)


def once(key: str, value: str) -> bool:
    """Write `value` under `key`. True for the first who does it, False for all after it.

    Looking and writing are one command (SET with NX): nobody can come in between.
    """
    return bool(redis.set(key, value, nx=True, ex=YEAR))
