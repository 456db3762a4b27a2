"""# An interval comes out at -5 seconds. What does beat do?

## Question

`"schedule": end - start`, and for once the end lies before the start. Or it is a 0 out of a
settings file. A second entry in the same schedule comes every second. What does beat make of it?

## Predict

- [x] It sends the entry without a pause, as fast as Redis takes it.
- [ ] It refuses to start: an interval below zero makes no sense.
- [ ] It sends the entry once, or never, because its time is over.

## Why

beat asks how many seconds are left until the entry is due. Nothing is left: send it. And after
that? Nothing is left again. No line in Celery looks whether an interval makes sense, and 0 is the
same case. beat has no pause in between, so thousands of messages lie in Redis within seconds, and
one processor does nothing else. The other entry still gets its turn.

Redis keeps it all in memory. After a night this is not a slow worker any more, it is a full server.

## Fix

Check the schedule before it runs: `lab calendar -A your_app --check` exits with 1 and names the
entry. Compute no intervals from two clocks. `"expires"` keeps the damage small: the
worker throws away what is old, but it has to take each message for that.
"""

import re
import sys

from redis import Redis

from lab.bench import celery, wait_until

TOWER = """
import os

from celery import Celery

app = Celery("tower", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True
app.conf.beat_schedule = {
    "ring": {"task": "tower.ring", "schedule": float(os.environ["SECONDS"])},
    "other": {"task": "tower.other", "schedule": 1, "options": {"queue": "other", "expires": 9}},
}

@app.task(expires=9)
def ring():
    pass

@app.task
def other():
    pass
"""

MANY = 1000


def run(bench):
    folder, pairs = bench.copy({}), []
    (folder / "tower.py").write_text(TOWER)
    for number, seconds in enumerate((-5, 0, 5)):
        url = bench.broker.url.removesuffix("/0") + f"/{number}"  # a database for each beat
        env = {"CELERY_BROKER_URL": url, "SECONDS": str(seconds)}
        words = ["--loglevel", "INFO", "--schedule", str(bench.folder / f"beat{number}")]
        beat = bench.process("beat", celery("tower", "beat", *words), cwd=folder, env=env)
        check = [sys.executable, "-m", "lab.cli", "calendar", "-A", "tower", "--check"]
        check = bench.process("check", check, cwd=folder, env=env)
        pairs.append((seconds, beat, check, Redis.from_url(url, decode_responses=True)))
    rows = []
    for seconds, beat, check, redis in pairs:
        enough = MANY if seconds <= 0 else 1
        wait_until(
            lambda redis=redis, n=enough: redis.llen("celery") >= n and redis.llen("other") >= 1,
            f"beat did not send ({seconds} s)",
            timeout=60,
            log=beat.log,
        )
        count = redis.llen("celery")
        row = {"interval": f"{seconds} s", "messages": count, "of the other": redis.llen("other")}
        beat.kill()
        check.wait(timeout=60)
        row["beat complains"] = len(re.findall("WARNING|ERROR", beat.log()))
        rows.append(row | {"the check": f"{check.returncode}: {check.log().splitlines()[0][:40]}"})
    return rows


def claims(rows):
    negative, zero, good = rows
    return {
        "below zero floods the queue": negative["messages"] >= MANY,
        "and so does zero": zero["messages"] >= MANY,
        "five seconds do not": good["messages"] < MANY / 10,
        "the other entry gets its turn": all(row["of the other"] for row in rows),
        "beat finds nothing wrong": not any(row["beat complains"] for row in rows),
        "the check finds both": [row["the check"][0] for row in rows] == ["1", "1", "0"],
    }
