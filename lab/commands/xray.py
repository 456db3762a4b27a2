"""`lab xray`: what Redis holds, once or every second."""

from __future__ import annotations

import threading

import click
from redis import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.live import Live

from lab.observe.xray import Xray


def show_xray(url: str, watch: bool, console: Console) -> None:
    """Look at the Redis behind a URL. With `watch` it looks again until Ctrl-C.

    Raises `click.ClickException` when no Redis answers.
    """
    try:
        client = Redis.from_url(url, decode_responses=True, socket_connect_timeout=3)
        if not watch:
            console.print(Xray.of(client))
            return
        with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                live.update(Xray.of(client), refresh=True)
                threading.Event().wait(1)
    except KeyboardInterrupt:
        pass
    except (RedisError, ValueError) as error:
        raise click.ClickException(
            f"No Redis answers at {url} ({error}).\n"
            "Start the course's broker in another terminal:  lab broker"
        ) from None
