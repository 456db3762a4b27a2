"""# "At noon": whose noon?

## Question

A program in New York sends tasks with `eta=` noon, the day after tomorrow. Once the time has no
zone, once it says New York, once Paris. The sender's app has `timezone = "Europe/Paris"`. One
worker has the same setting, another one `"Asia/Tokyo"`. When does the time without a zone come?

## Predict

- [ ] At noon in New York: the program that made the time runs there.
- [ ] At noon in the app's time zone: Paris here, Tokyo there.
- [x] At noon in UTC, which is seven in the morning in New York in winter.

## Why

A time without a zone is written into the message without a zone: look at the column "in the
message". The clock of the machine, its variable `TZ` and the sender's settings leave no trace. The
worker takes it for UTC, and shows it in its own zone. So `datetime.now()` plus an hour is right on
a server that runs on UTC, hours too early in New York, and hours late in Paris: it works in
production, and not at your desk.

The schedule of beat is another matter. There `timezone` decides, and `crontab(hour=12, minute=0)`
is noon in Paris.

A time with a zone is one moment, whoever reads it.

## Fix

Never an `eta` without a zone: `datetime.now(UTC) + timedelta(hours=2)`, or for people's times
`datetime(..., tzinfo=ZoneInfo("America/New_York"))`. `countdown=` has no zone to get wrong. What is
far away belongs on a list, and not into an `eta`: `clock/remind.py`.
"""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from lab.bench import wait_until

IN_TOKYO = {"clock/celery.py": ('timezone = "Europe/Paris"', 'timezone = "Asia/Tokyo"')}

SEND = """
import json
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo
from clock.tasks import heartbeat

noon = datetime.combine(datetime.now() + timedelta(days=2), time(12))
for zone in (None, "America/New_York", "Europe/Paris"):
    eta = noon.replace(tzinfo=zone and ZoneInfo(zone))
    ids = [heartbeat.apply_async(eta=eta, queue=queue).id for queue in ("Paris", "Tokyo")]
    print(json.dumps([zone or "none", *ids]))
"""


def run(bench):
    said = bench.python(SEND, env={"TZ": "America/New_York"})
    sent = [json.loads(line) for line in said.splitlines()]
    messages = {each.id: each for queue in bench.xray().queues.values() for each in queue}
    folders = {"Paris": bench.chapter, "Tokyo": bench.copy(IN_TOKYO)}
    for queue, folder in folders.items():
        bench.worker("clock", queues=queue, cwd=folder, wait=False)
    bench.all_ready()
    from clock.celery import app

    def scheduled():
        answers = app.control.inspect(timeout=5).scheduled() or {}
        every = {each["request"]["id"]: each["eta"] for list in answers.values() for each in list}
        return every if len(every) == len(messages) else None

    etas = wait_until(scheduled, "the workers do not have all tasks", timeout=60)
    rows = []
    for zone, paris, tokyo in sent:
        row = {"zone of the eta": zone, "in the message": messages[paris].headers["eta"]}
        for city, id in (("Paris", paris), ("Tokyo", tokyo)):
            row[f"a worker in {city} waits until"] = etas[id]
        rows.append(row)
    return rows


def claims(rows):
    def moments(row):
        return {datetime.fromisoformat(eta) for name, eta in row.items() if "waits" in name}

    def noon(zone):
        day = datetime.fromisoformat(rows[0]["in the message"])
        return {day.replace(hour=12, tzinfo=ZoneInfo(zone))}

    naive, new_york, paris = rows
    return {
        "without a zone there is none in the message": naive["in the message"].endswith(
            "T12:00:00"
        ),
        "both workers take it for noon in UTC": moments(naive) == noon("UTC"),
        "with a zone it is noon there, in both workers": moments(new_york)
        == noon("America/New_York")
        and moments(paris) == noon("Europe/Paris"),
    }
