"""Given: the tasks. None of them knows the time: beat does."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from celery.utils.log import get_task_logger

from clock import remind
from clock.celery import app
from clock.lock import Taken, only_one
from clock.store import once, redis

logger = get_task_logger(__name__)

# The folder is no argument: who can send a message could name any folder of this machine.
UPLOADS = Path(os.environ.get("CLOCK_UPLOADS", "uploads"))


@app.task
def heartbeat() -> None:
    """Leave a sign of life. `python -m clock.alarm` looks how old it is."""
    redis.set("clock:heartbeat", time.time())


# Another run that is not done is no failure: `throws` logs a line instead of a traceback.
@app.task(throws=(Taken,))
def clean_up(days: int) -> int:
    """Delete the uploads that are older than `days`. Return how many."""
    if days < 1:
        raise ValueError(f"days={days} would delete what has just come")
    removed = 0
    with only_one("clean-up", seconds=600):
        for path in UPLOADS.iterdir():
            # A link counts as itself: what it points to, perhaps elsewhere, stays.
            old = path.lstat().st_mtime < time.time() - days * 24 * 3600
            if old and (path.is_file() or path.is_symlink()):
                path.unlink(missing_ok=True)
                removed += 1
    return removed


@app.task
def digest(due: str) -> bool:
    """Write the digest of the week that ended at `due`. Once, however often this runs."""
    end = datetime.fromisoformat(due)
    begin = end - timedelta(days=7)
    times = [path.stat().st_mtime for path in UPLOADS.iterdir()]
    new = sum(begin.timestamp() <= when < end.timestamp() for when in times)
    return once(f"clock:digest:{due}", f"{new} new uploads in the week until {end:%d %B %H:%M}")


@app.task
def morning_list() -> None:
    """Say what comes today."""
    tonight = datetime.now(app.timezone).replace(hour=23, minute=59, second=59)
    for reminder in remind.until(tonight):
        logger.info("Today: %s %s", reminder["at"], reminder["text"])


@app.task
def send_reminders() -> None:
    """Send what is due on the list of reminders, and take it from the list.

    In this order: whoever dies in between has lost nothing. It is sent again, and said once.
    """
    for reminder in remind.until(datetime.now(app.timezone)):
        say.delay(reminder)
        remind.forget(reminder)


@app.task
def say(reminder: dict) -> None:
    """Remind somebody. Once, however often this message comes."""
    if once(f"clock:said:{reminder['id']}", reminder["text"]):
        logger.info("Reminder: %s", reminder["text"])


# A module can bring the schedule of its tasks along. The app is complete when this is called.
@app.on_after_finalize.connect
def look_at_the_list(sender, **kwargs) -> None:
    sender.add_periodic_task(5.0, send_reminders.s(), name="reminders", expires=5)
