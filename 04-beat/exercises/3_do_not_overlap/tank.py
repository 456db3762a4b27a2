"""The tank. It is complete: nothing is to be done here."""

import os

from redis import Redis

# A lock that is older than this is nobody's any more. Longer than a roll ever takes.
SECONDS = float(os.environ.get("TANK_SECONDS", "60"))

# Whoever waits for the timer hears nothing from Redis meanwhile. That is no broken connection.
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"),
    decode_responses=True,
    socket_timeout=100,
)


class Torn(Exception):
    """The film is torn."""


def develop(roll):
    """Develop a roll of film, until the timer rings."""
    memory.rpush("tank", roll)
    rung = memory.blpop(f"timer:{roll}", timeout=90)
    if rung and rung[1] == "torn":
        raise Torn(roll)
    return "developed"
