"""# No worker ran all night. What happens when one starts in the morning?

## Question

beat sends two heartbeats, five times a second each. One entry has `"expires": 2`, the other has
no `expires`. No worker runs. Then one starts, while beat goes on. Which of the old messages does
it run?

## Predict

- [ ] None. beat knows that there is no worker, and waits for one.
- [ ] The newest of each entry: a beat that comes too late is replaced by the next one.
- [x] All of the entry without `expires`, and none of the other.

## Why

beat sends a message when an entry is due, and that is all it knows. It does not look at the
queue, and nobody tells it that there is no worker: look at the column "beat complains". A message
without `expires` is as good after a night as at once. So the first worker in the morning gets the
whole night, one after the other, and what is due now waits behind that. This is the stampede.

A message with `expires` carries the moment until which it is worth running. The worker looks at
it first. It logs "Discarding revoked task", although nobody has revoked it, and takes the next
one. The fresh messages run as if nothing had been.

## Fix

`"options": {"expires": seconds}` for every entry that comes often. As many seconds as the interval
has: then at most one run waits. And an alarm on what the *worker* leaves behind: beat's own log
looks well.
"""

import re
from datetime import UTC, datetime

from lab.bench import celery, wait_until

# Two entries for one task. Its argument says which of them has sent it.
TOWER = """
from celery import Celery

app = Celery("tower", broker="redis://localhost:6379/0")
app.conf.beat_schedule = {
    "keeps": {"task": "tower.ring", "schedule": 0.2, "args": ["no"]},
    "expires": {
        "task": "tower.ring",
        "schedule": 0.2,
        "args": ["after 2 s"],
        "options": {"expires": 2},
    },
}

@app.task(ignore_result=True)
def ring(expires):
    pass
"""


def run(bench):
    (bench.folder / "tower.py").write_text(TOWER)
    beat = bench.process("beat", celery("tower", "beat", "-l", "INFO"), cwd=bench.folder)

    def waiting():
        return bench.xray().queues.get("celery", [])

    wait_until(lambda: len(waiting()) >= 20, "beat did not send", timeout=60, log=beat.log)
    night = waiting()
    last = max(message.headers["expires"] or "" for message in night)
    wait_until(lambda: datetime.now(UTC) > datetime.fromisoformat(last), "they did not expire")
    worker = bench.worker("tower", cwd=bench.folder)
    old = {message.id for message in night}

    def ran(expires, fresh):
        runs = [run for run in bench.timeline().runs if run.label == expires]
        return [run.id for run in runs if (run.id not in old) == fresh]

    def discarded(message):
        return f"Discarding revoked task: tower.ring[{message.id}]" in worker.log()

    rows = []
    for expires in ("no", "after 2 s"):
        # What is fresh stands behind the night in the queue: when it has run, the night is over.
        wait_until(lambda each=expires: ran(each, fresh=True), "nothing fresh ran", timeout=60)
        mine = [message for message in night if message.body[0] == [expires]]
        row = {"expires": expires, "waited at night": len(mine)}
        row |= {"of these ran": len(ran(expires, fresh=False))}
        row |= {"were discarded": sum(map(discarded, mine)), "fresh ones run": "yes"}
        rows.append(row | {"beat complains": len(re.findall("WARNING|ERROR", beat.log()))})
    return rows


def claims(rows):
    keeps, expires = rows
    return {
        "without expires the whole night runs": keeps["of these ran"] == keeps["waited at night"],
        "with expires none of it runs": expires["of these ran"] == 0,
        "all of it is discarded": expires["were discarded"] == expires["waited at night"] > 0,
        "what beat sends now runs in both": {row["fresh ones run"] for row in rows} == {"yes"},
        "beat has noticed nothing": {row["beat complains"] for row in rows} == {0},
    }
