"""# `timezone = "Europe/Pari"`: who notices the typo?

## Question

There is no such zone. The app is imported in a sender, in a worker and in a beat. Which of them
says so, and how?

## Predict

- [ ] All of them, at the import: a setting that cannot be is refused.
- [ ] Nobody: Celery takes UTC instead.
- [x] beat dies. The worker says that it is ready, and loses its connection again and again.

## Why

Celery looks for the zone when it needs it for the first time. beat needs it at once, and dies in
hundreds of log lines: it reports its own crash through its log, word by word. Look at the last one.

A sender needs it for `countdown=`, not for a plain `.delay()`. A worker says "ready", and needs it
for the first message. It takes what goes wrong there for a broken connection, because the error
comes out of the loop that reads messages. So it connects again, gets the same message again, and so
on: look into the brackets at the end of its line.

## Fix

Zones are called after cities: `ZoneInfo("Europe/Paris")` in a Python session says whether there is
one. `lab calendar -A your_app --check` says it in one sentence, before beat starts. In
a small image without any zones, install the package `tzdata`.
"""

import sys

from lab.bench import WORKER_READY, celery, wait_until

MESSAGES = [
    "'No time zone found with key ...'",
    "consumer: Connection to broker lost. Trying to re-establish the connection... "
    "(ZoneInfoNotFoundError('No time zone found with key ...'))",
]

TYPO = {"clock/celery.py": ('"Europe/Paris"', '"Europe/Pari"')}

SEND = "from clock.tasks import heartbeat; heartbeat.apply_async({}); print('sent')"


def run(bench):
    folder = bench.copy(TYPO)
    clients = {
        ".delay()": bench.start_python(SEND.format(""), cwd=folder),
        "a countdown": bench.start_python(SEND.format("countdown=1"), cwd=folder),
    }
    beat = bench.process("beat", celery("clock", "beat", "--loglevel", "INFO"), cwd=folder)
    check = [sys.executable, "-m", "lab.cli", "calendar", "-A", "clock", "--check"]
    check = bench.process("check", check, cwd=folder)
    worker = bench.worker("clock", cwd=folder, wait=False)
    rows = []
    for name, client in clients.items():
        client.wait(timeout=60)
        last = client.log().splitlines()[-1]
        outcome = "is sent" if last == "sent" else "raises an error"
        rows.append({"who": name, "what": outcome, "message": last if last != "sent" else ""})
    lost = "Connection to broker lost"
    wait_until(
        lambda: worker.log().count(lost) > 1, "the worker does well", timeout=60, log=worker.log
    )
    says = next(line for line in worker.log().splitlines() if lost in line)
    what = "is ready, and not a minute" if WORKER_READY in worker.log() else "never gets ready"
    rows.append({"who": "the worker", "what": what, "message": says.partition("] ")[2]})
    beat.wait(timeout=60)
    lines = beat.log().splitlines()
    what = f"dies, exit code {beat.returncode}"
    rows.append({"who": "beat", "what": what, "lines": len(lines), "message": lines[-1]})
    check.wait(timeout=60)
    said = check.log().strip()
    what, lines = f"exit code {check.returncode}", len(said.splitlines())
    rows.append({"who": "the check", "what": what, "lines": lines, "message": said})
    return rows


def claims(rows):
    plain, countdown, worker, beat, check = (row["what"] for row in rows)
    return {
        "a plain .delay() is sent": plain == "is sent",
        "one with a countdown raises": countdown == "raises an error",
        "the worker says that it is ready, and then that it lost its connection": worker
        == "is ready, and not a minute",
        "beat dies in hundreds of lines, and the last one says why": beat == "dies, exit code 1"
        and rows[3]["lines"] > 200
        and "Europe/Pari" in rows[3]["message"],
        "the check says it in one": check == "exit code 1" and rows[4]["lines"] == 1,
    }
