"""Given: a reminder at a date and a time:  python -m clock.remind "2027-03-17 09:00" "Order paper"

A crontab has no year, and a task with an `eta` far away waits in the memory of a worker. So the
reminders wait in a list of their own, in Redis. beat looks at it every five seconds.
"""

import json
import secrets
import sys
from datetime import UTC, datetime, timedelta

import click
from redis.exceptions import ConnectionError

from clock.celery import app
from clock.store import redis

# A sorted set: reminders as JSON, each with the moment it is due, in seconds since 1970.
REMINDERS = "clock:reminders"


def add(at: datetime, text: str) -> dict:
    """Put a reminder on the list."""
    reminder = {"id": secrets.token_hex(8), "at": f"{at:%Y-%m-%d %H:%M}", "text": text}
    redis.zadd(REMINDERS, {json.dumps(reminder): at.timestamp()})
    return reminder


def until(moment: datetime) -> list[dict]:
    """The reminders that are due at `moment`, the oldest first. They stay on the list."""
    return [
        json.loads(each)
        for each in redis.zrange(REMINDERS, "-inf", moment.timestamp(), byscore=True)
    ]


def forget(reminder: dict) -> None:
    """Take a reminder from the list."""
    redis.zrem(REMINDERS, json.dumps(reminder))


@click.command()
@click.argument("at")
@click.argument("text")
def main(at: str, text: str) -> None:
    """Keep TEXT until AT, a date and a time: "2027-03-17 09:00", or so many seconds: "+10"."""
    try:
        now = datetime.now(app.timezone).replace(microsecond=0)
        wall = now + timedelta(seconds=int(at)) if at[:1] == "+" else datetime.fromisoformat(at)
    except (ValueError, OverflowError):
        sys.exit(f'{at!r} is not a date and a time. Write it like this: "2027-03-17 09:00"')
    # The time on the studio's wall, if nothing else is said ("2027-03-17T09:00+00:00").
    moment = wall if wall.tzinfo else wall.replace(tzinfo=app.timezone)
    moment = moment.astimezone(app.timezone) if wall.tzinfo else moment
    if moment.astimezone(UTC).astimezone(moment.tzinfo).replace(fold=0) != moment:
        sys.exit(f"There is no {at} in {app.timezone}: the clocks jump over it on that day.")
    if moment < datetime.now(UTC):
        sys.exit(f"{at} is over.")
    try:
        add(moment, text)
    except ConnectionError as error:
        sys.exit(f"Redis does not answer ({error}). Nothing is kept.")
    click.echo(f"On {moment:%A %d %B %Y at %H:%M} ({app.timezone}): {text}")


if __name__ == "__main__":
    main()
