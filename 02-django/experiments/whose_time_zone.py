"""# You set no time zone. Why is your morning report late?

## Question

A report is to come at seven: `crontab(hour=7, minute=0)`. The server runs on UTC, and so does
Celery unless you say otherwise. Your Django settings name no time zone at all. It is January.
At which hour, in UTC, does the report come?

## Predict

- [ ] At 7:00, because Celery's default is UTC.
- [ ] At the hour of the server, whatever that is.
- [x] At 13:00, because Django lives in Chicago.

## Why

Celery looks for `CELERY_TIMEZONE` first, and then for Django's `TIME_ZONE`, before it comes to
its own UTC. `TIME_ZONE` is never missing: where you say nothing, Django says
`America/Chicago`, the time of its birthplace. A new project has `TIME_ZONE = "UTC"` in its
settings. Whoever tidies that line away moves to Chicago.

The log is a third matter. Django sets the time zone of the whole process, so the worker's log
follows `TIME_ZONE`, even where `CELERY_TIMEZONE` says UTC: see the last row.

## Fix

Write both lines: `TIME_ZONE` for people, logs and templates, `CELERY_TIMEZONE` for the
schedule. Ask what it came to with `app.timezone`.
"""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ASK = """
from datetime import UTC, datetime
from album.celery import app
from celery.schedules import crontab
midnight = datetime(2026, 1, 15, tzinfo=UTC)
report = crontab(hour=7, minute=0, app=app, nowfun=lambda: midnight)
due = midnight + report.remaining_estimate(midnight)
print(app.timezone, due.astimezone(UTC).strftime("%H:%M"))
"""

# None: the settings do not name it.
ZONES = [(None, None), ("Europe/Berlin", None), (None, "UTC")]


def run(bench):
    folder, rows, workers = bench.copy({}), [], []
    for number, zones in enumerate(ZONES):
        module = ["from album.settings import *", "del TIME_ZONE, CELERY_TIMEZONE"]
        row = dict(zip(("TIME_ZONE", "CELERY_TIMEZONE"), zones, strict=True))
        module += [f"{name} = {zone!r}" for name, zone in row.items() if zone]
        (folder / "album" / f"zones{number}.py").write_text("\n".join(module))
        env = {
            "ALBUM_DATA": str(bench.folder / "data"),
            "DJANGO_SETTINGS_MODULE": f"album.zones{number}",
        }
        zone, due = bench.python(ASK, cwd=folder, env=env).split()
        row = {name: zone or "not set" for name, zone in row.items()}
        rows.append(row | {"app.timezone": zone, "7:00 is, in UTC": due})
        workers.append(bench.worker("album", cwd=folder, env=env, wait=False))
    for row, worker in zip(rows, workers, strict=True):
        worker.wait_for(" ready.", timeout=60)
        (stamp,) = re.findall(r"\[([-\d]+ [:\d]+),\d+: .* ready\.", worker.log())
        ahead = datetime.fromisoformat(stamp).replace(tzinfo=UTC) - datetime.now(UTC)
        row["its log, from UTC"] = f"{round(ahead.total_seconds() / 3600):+} h"
    return rows


def claims(rows):
    nothing, django, celery = rows

    def from_utc(zone):
        return f"{datetime.now(ZoneInfo(zone)).utcoffset().total_seconds() / 3600:+.0f} h"

    return {
        "with nothing set Celery lives in Chicago": nothing["app.timezone"] == "America/Chicago"
        and nothing["7:00 is, in UTC"] == "13:00",
        "it takes Django's time zone": django["app.timezone"] == "Europe/Berlin"
        and django["7:00 is, in UTC"] == "06:00",
        "CELERY_TIMEZONE wins": celery["app.timezone"] == "UTC"
        and celery["7:00 is, in UTC"] == "07:00",
        "the log follows Django's, set or not": [row["its log, from UTC"] for row in rows]
        == [from_utc(zone) for zone in ("America/Chicago", "Europe/Berlin", "America/Chicago")],
    }
