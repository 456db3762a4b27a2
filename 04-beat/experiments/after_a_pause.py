"""# beat stood still for three days. What does it catch up?

## Question

Two entries: one every second, one every night. beat is stopped, and started again three days
later. What does it send in its first seconds? And with `beat_cron_starting_deadline`, when the
last night was some two hours ago?

## Predict

- [ ] Everything it has missed: 259,200 messages of the first, three of the second.
- [x] One of each, at once. With a deadline of an hour the nightly one waits for the next night.
- [ ] Nothing: what is over is over. The first goes on, the second comes next night.

## Why

beat keeps one thing in its file: when each entry has run last. At the start it asks each schedule
whether it is due since then. Yes or no: how often it was due meanwhile, nobody asks. So an interval
begins again, and a crontab that is overdue comes once. That may be at ten in the morning, in the
middle of the working day, with the clean-up that was meant for the night.

`beat_cron_starting_deadline` says how many seconds late a crontab may be. When its last time is
longer ago, it waits for the next one. Intervals do not look at it.

All this hangs on the file. Without it, in a fresh container, nothing is overdue: each entry counts
from the start of beat.

## Fix

Decide whether late is better than not at all, and set the deadline. Keep the file on a disk that
stays, or use RedBeat. A task that counts, such as "the orders of yesterday", gets its time from the
due time and not from the clock.
"""

import shutil
from datetime import UTC, datetime, timedelta

from lab.bench import celery, wait_until

TOWER = """
import os

from celery import Celery
from celery.schedules import crontab

app = Celery("tower", broker="redis://localhost:6379/0")
app.conf.beat_schedule = {
    "every second": {"task": "tower.ring", "schedule": 1},
    "nightly": {"task": "tower.ring", "schedule": crontab(hour=HOUR, minute=0)},
}
app.conf.beat_cron_starting_deadline = float(os.environ.get("DEADLINE", 0)) or None
"""

# Nobody waits three days. The file of beat gets older instead.
THREE_DAYS = """
import shelve
from datetime import timedelta
with shelve.open("celerybeat-schedule", writeback=True) as file:
    for entry in file["entries"].values():
        entry.last_run_at -= timedelta(days=3)
print("older")
"""


def run(bench):
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    studio = bench.folder / "studio"
    studio.mkdir()
    (studio / "tower.py").write_text(TOWER.replace("HOUR", str(two_hours_ago.hour)))

    def beat(folder, **env):
        return bench.process("beat", celery("tower", "beat", "-l", "INFO"), cwd=folder, env=env)

    def sent(each, entry):
        return each.log().count(f"Sending due task {entry}")

    first = beat(studio)
    first.wait_for("Sending due task every second", timeout=60)
    first.stop()
    assert bench.python(THREE_DAYS, cwd=studio) == "older\n"
    beats = {}
    for deadline in ("none", "1 hour", "4 hours", "none, and no file"):
        folder = shutil.copytree(studio, bench.folder / deadline)
        if "no file" in deadline:
            for file in folder.glob("celerybeat-schedule*"):
                file.unlink()
        hours = int(deadline[0]) if deadline[0].isdigit() else 0
        beats[deadline] = beat(folder, DEADLINE=str(hours * 3600))
    rows = []
    for deadline, each in beats.items():
        wait_until(
            lambda each=each: sent(each, "every second") >= 4, "beat did not send", log=each.log
        )
        row = {"deadline": deadline, "every second": sent(each, "every second")}
        rows.append(row | {"nightly": sent(each, "nightly")})
    return rows


def claims(rows):
    none, one, four, no_file = rows
    return {
        "no burst of the interval": all(row["every second"] < 100 for row in rows),
        "three nights were missed, one is sent": none["nightly"] == 1,
        "an hour of deadline: two hours ago is too late": one["nightly"] == 0,
        "four hours: it is sent": four["nightly"] == 1,
        "without its file beat has missed nothing": no_file["nightly"] == 0,
    }
