"""Rolls of film, one after the other:  celery -A darkroom worker"""

from contextlib import suppress

import tank
from celery import Celery
from redis.exceptions import LockNotOwnedError

app = Celery("darkroom", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def develop(roll):
    """Develop a roll. Returns "developed", or "busy" when another one is in the tank."""
    lock = tank.memory.lock("lock:tank", timeout=tank.SECONDS, blocking=False)
    if not lock.acquire():
        return "busy"
    try:
        return tank.develop(roll)
    finally:
        with suppress(LockNotOwnedError):  # it took too long, and the lock is another's now
            lock.release()
