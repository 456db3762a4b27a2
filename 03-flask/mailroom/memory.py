"""Given: the mailroom's memory. Each process has its connections to Redis."""

import os

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def init_app(app: Flask) -> None:
    """A request waits for Redis two seconds at most."""
    app.extensions["memory"] = Redis.from_url(
        os.environ.get("REDIS_URL", "redis://localhost:6379/0"),
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )
