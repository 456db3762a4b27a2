"""# A task takes three seconds, and beat sends it every second. What runs at the same time?

## Question

Three entries for the same slow work, each with a worker of three processes. The first has no lock.
The second takes a lock in Redis that expires after twenty seconds, the third one that does not
expire. Then the workers of the second and third get a SIGKILL in the middle of their work, and new
ones start. Who works after that?

## Predict

- [ ] beat waits for the end of a run. So one at a time everywhere, and after the kill all go on.
- [x] Without a lock three at once. After the kill only the lock that expires comes free.
- [ ] A lock makes it one at a time. After the kill both come free: Redis sees that they are gone.

## Why

beat sends when it is time, and does not know whether the last run has ended. When the work takes
longer than the interval, more and more processes do the same.

A lock makes the second run find out, and give up. But a process that gets a SIGKILL gives nothing
back, `with` and `finally` or not. Its key stays in Redis: every run from now on is refused, every
log line looks like normal work, and nothing is ever done. An expiry needs nobody to do it.

## Fix

`redis.lock(name, timeout=seconds)`, as in `clock/lock.py`: `SET key token NX PX`. Choose more
seconds than the work ever takes: when they are over too early, two run. The token is there for that
case: whoever comes late does not remove the lock of another.
"""

import signal

from lab.bench import celery, wait_until

DARKROOM = """
import time
from contextlib import nullcontext

from celery import Celery
from clock.lock import Taken, only_one
from clock.store import redis
from redis.exceptions import LockError

LOCKS = {
    "none": nullcontext,
    "expires": lambda: only_one("expires", seconds=20),
    "for ever": lambda: redis.lock("clock:lock:for ever", blocking=False),
}
app = Celery("darkroom", broker="redis://localhost:6379/0")
app.conf.beat_schedule = {
    lock: {"task": "darkroom.develop", "schedule": 1, "args": [lock], "options": {"queue": lock}}
    for lock in LOCKS
}

@app.task(ignore_result=True)
def develop(lock):
    try:
        with LOCKS[lock]():
            redis.rpush(f"{lock}: at once", redis.incr(f"{lock}: inside"))
            time.sleep(3)
            redis.decr(f"{lock}: inside")
    except (Taken, LockError):
        redis.incr(f"{lock}: refused")
"""


def run(bench):
    folder, redis = bench.copy({}), bench.broker.client
    (folder / "darkroom.py").write_text(DARKROOM)

    def worker(lock):
        return bench.worker("darkroom", queues=lock, concurrency=3, cwd=folder, wait=False)

    def at_once(lock):
        return list(map(int, redis.lrange(f"{lock}: at once", 0, -1)))

    def refused(lock):
        return int(redis.get(f"{lock}: refused") or 0)

    def stops_at_work(lock):
        """It stands still in the middle of its work, so the kill cannot come too late."""
        workers[lock].send_group(signal.SIGSTOP)
        if not (at_work := int(redis.get(f"{lock}: inside") or 0)):
            workers[lock].send_group(signal.SIGCONT)
        return at_work

    workers = {lock: worker(lock) for lock in ("none", "expires", "for ever")}
    bench.all_ready()
    bench.process("beat", celery("darkroom", "beat", "--loglevel", "INFO"), cwd=folder)
    wait_until(lambda: 3 in at_once("none"), "no three at once", timeout=60)
    rows = [{"lock": "none", "most at once": max(at_once("none")), "refused": refused("none")}]
    for lock in ("expires", "for ever"):
        wait_until(lambda lock=lock: refused(lock), "no run was refused", timeout=60)
        wait_until(lambda lock=lock: stops_at_work(lock), "no run began", timeout=60)
        workers[lock].kill()
        row = {"lock": lock, "most at once": max(at_once(lock)), "refused": refused(lock)}
        rows.append(row | {"held after SIGKILL": bool(redis.exists(f"clock:lock:{lock}"))})
        redis.delete(f"{lock}: refused", f"{lock}: at once", f"{lock}: inside")
        worker(lock)
    wait_until(lambda: at_once("expires"), "the lock did not expire", timeout=120)
    wait_until(lambda: refused("for ever") >= 3, "no three were refused", timeout=120)
    for row in rows[1:]:
        row["runs after it"] = "yes" if at_once(row["lock"]) else "none"
        row["its expiry"] = "never" if redis.ttl(f"clock:lock:{row['lock']}") == -1 else "soon"
    return rows


def claims(rows):
    none, expires, for_ever = rows
    return {
        "without a lock three run at once": none["most at once"] == 3,
        "with either lock it is one": expires["most at once"] == for_ever["most at once"] == 1,
        "both locks outlive the SIGKILL": all(row["held after SIGKILL"] for row in rows[1:]),
        "the one that expires comes free again": expires["runs after it"] == "yes",
        "the other is held for ever, and all runs are refused": for_ever["its expiry"] == "never"
        and for_ever["runs after it"] == "none",
    }
