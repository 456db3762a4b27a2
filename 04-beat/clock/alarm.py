"""Given: does the clock still tick?  python -m clock.alarm --after 15

Exit code 0 or 1, and a sentence: for cron, systemd or whatever watches the studio. A heartbeat
proves the whole way: beat has sent it, the broker has kept it, a worker has run it.
"""

import sys
import time

import click
from redis.exceptions import ConnectionError

from clock.store import redis


@click.command()
@click.option("--after", default=15, type=click.IntRange(1), help="Seconds without a heartbeat.")
def main(after: int) -> None:
    """Fail when the last heartbeat is older than AFTER seconds."""
    try:
        last = redis.get("clock:heartbeat")
    except ConnectionError as error:
        sys.exit(f"ALARM: Redis does not answer ({error}).")
    if last is None:
        sys.exit("ALARM: there has never been a heartbeat. Start beat, and a worker.")
    age = time.time() - float(last)
    if age > after:
        sys.exit(
            f"ALARM: the last heartbeat is {age:,.0f} seconds old. beat, the broker or the worker "
            "has stopped:  celery -A clock inspect ping"
        )
    click.echo(f"The clock ticks: the last heartbeat is {age:.0f} seconds old.")


if __name__ == "__main__":
    main()
