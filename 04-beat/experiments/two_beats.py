"""# Two beats start in one folder. Who sends?

## Question

A container is started twice, or a restart overlaps. So two beats run, in the same folder, with
the same file for their schedule. The next two are started with `--pidfile beat.pid`. The last two
are RedBeats: they keep the schedule in Redis. Which of the second ones sends messages?

## Predict

- [ ] None. The first has the schedule file open, and the second finds that out.
- [x] The first of them. It sends all that the other one sends. The others do not.
- [ ] The first and the third, each a half: they share the schedule.

## Why

beat has no lock. Its file is a note for itself, when each entry has run last: no beat looks whether
another one has it. So each sends the whole schedule, and no log says that anything is wrong.

A pid file is a lock for one machine: the second finds it and ends. RedBeat's lock is a key in
Redis, for any number of machines. The second waits for it (only `--loglevel DEBUG` shows that).
When the first stops, it gives the lock back, and the other one goes on.

## Fix

One machine: `--pidfile`. Several: RedBeat. And because a restart can overlap in spite of all
that: let a task do its effect once per due time, as the digest does with `DUE` and `once`.
"""

import shutil

from redis import Redis

from lab.bench import celery, wait_until
from lab.observe.xray import Xray

MESSAGES = ["ERROR: Pidfile (beat.pid) already exists. Seems we're already running? (pid: ...)"]

OFTEN = {
    "clock/celery.py": (
        "app.conf.beat_schedule = SCHEDULE\n",
        'app.conf.beat_schedule = {"beat": {"task": "clock.tasks.heartbeat", "schedule": 0.5}}\n',
    )
}

WAYS = {
    "nothing": [],
    "--pidfile": ["--pidfile", "beat.pid"],
    "RedBeat": ["--scheduler", "clock.redbeat:Scheduler"],
}
COUNTED = ("the first sends", "the second sends", "messages")


def run(bench):
    # Each pair has a database of its own.
    urls = {way: f"{bench.broker.url[:-1]}{number}" for number, way in enumerate(WAYS)}
    example = bench.copy(OFTEN)
    folders = {way: shutil.copytree(example, bench.folder / way) for way in WAYS}

    def beat(way):
        argv = celery("clock", "beat", "--loglevel", "DEBUG", "--max-interval", "1", *WAYS[way])
        env = {"CELERY_BROKER_URL": urls[way], "REDIS_URL": urls[way]}
        return bench.process("beat", argv, cwd=folders[way], env=env)

    def sends(each):
        return each.log().count("Sending due task beat")

    def count(way):
        with Redis.from_url(urls[way], decode_responses=True) as client:
            waiting = Xray.of(client).queues.get("celery", [])
        messages = sum(message.task == "clock.tasks.heartbeat" for message in waiting)
        return sends(firsts[way]), sends(seconds[way]), messages

    firsts = {way: beat(way) for way in WAYS}
    for first in firsts.values():
        first.wait_for("Sending due task beat", timeout=60)
    seconds = {way: beat(way) for way in WAYS}
    seconds["nothing"].wait_for("Sending due task beat", timeout=60)
    seconds["--pidfile"].wait(timeout=60)
    seconds["RedBeat"].wait_for("beat: Acquiring lock...", timeout=60)

    before, rows = {way: count(way) for way in WAYS}, []
    for way in WAYS:
        wait_until(
            lambda way=way: sends(firsts[way]) >= before[way][0] + 20,
            f"the first beat did not send ({way})",
            log=firsts[way].log,
        )
    wait_until(
        lambda: sends(seconds["nothing"]) >= before["nothing"][1] + 20,
        "the second beat did not send",
        log=seconds["nothing"].log,
    )
    after = {way: count(way) for way in WAYS}
    for way in WAYS:
        row = {"protected by": way}
        row |= {name: b - a for name, a, b in zip(COUNTED, before[way], after[way], strict=True)}
        state = "runs" if seconds[way].running else f"exit code {seconds[way].returncode}"
        rows.append(row | {"the second": state})
    rows[1]["message"] = seconds["--pidfile"].log().partition("starting.")[2].strip()
    firsts["RedBeat"].stop()
    seconds["RedBeat"].wait_for("Sending due task beat")
    rows[2]["the second"] = "waits, and sends when the first has stopped"
    return rows


def claims(rows):
    nothing, pidfile, redbeat = rows
    return {
        "unprotected, both send": min(nothing["the first sends"], nothing["the second sends"])
        >= 20,
        "and nobody divides the work": nothing["messages"] >= nothing["the first sends"] + 15,
        "with a pid file the second ends": pidfile["the second"] == "exit code 73",
        "and the first sends alone": pidfile["the second sends"] == 0,
        "a second RedBeat does not send": redbeat["the second sends"] == 0,
        "when the first stops it takes over": redbeat["the second"].startswith("waits, and sends"),
    }
