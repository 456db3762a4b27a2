"""`lab broker`: the course's broker, in the foreground."""

from __future__ import annotations

import socket

import click

from lab.bench import Bench, Died, NoServer, describe
from lab.chapters import ROOT


def run_broker(port: int) -> None:
    """Run a broker on a port of this machine until Ctrl-C.

    Raises `click.ClickException` when the port is taken, with what can be done.
    """
    refuse_taken_port(port)
    try:
        # For "localhost" some programs try ::1 first; the minus allows a machine without it.
        loopback = {"bind": "127.0.0.1 -::1"}
        with Bench(ROOT, broker_port=port, broker_options=loopback) as bench:
            url = f"redis://localhost:{port}/0"
            click.echo(f"Broker ready: {bench.broker.description()} at {url}")
            if port != 6379:
                click.echo("In every other terminal, first:")
                for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "REDIS_URL"):
                    click.echo(f"  export {name}={url}")
            click.echo("It keeps nothing when it stops. Ctrl-C stops it.")
            bench.broker.wait(timeout=float("inf"))
            raise click.ClickException(f"The broker ended by itself:\n{bench.broker.log()}")
    except KeyboardInterrupt:
        click.echo("\nBroker stopped.")
    except (Died, NoServer) as error:
        raise click.ClickException(str(error)) from None


def refuse_taken_port(port: int) -> None:
    """Say who has the port, and how to go on."""
    from redis import Redis
    from redis.exceptions import RedisError

    for host in ("127.0.0.1", "::1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.settimeout(2)
            if probe.connect_ex((host, port)) != 0:
                continue
        try:
            info = Redis(host=host, port=port, socket_timeout=10).info("server")
        except RedisError as error:
            raise click.ClickException(
                f"Port {port} is taken by a program that does not answer as Redis does ({error}).\n"
                f"Stop that program, or take another port:  lab broker --port {port + 1}"
            ) from None
        raise click.ClickException(
            f"Port {port} is taken: {describe(info)} already runs there.\n"
            "You can use it as it is: leave out this command and go on with the next one.\n"
            "The course's examples will write to its database 0. If that is not yours to write "
            f"to,\ntake another port:  lab broker --port {port + 1}"
        )
