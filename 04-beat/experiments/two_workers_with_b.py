"""# Two workers with `-B`. How often does an entry come?

## Question

`celery worker -B` has a beat inside: one process less to care for. It serves you well with one
worker. Then there is too much work, and you start a second one with the same command. How often is
an entry sent that is due four times a second?

## Predict

- [x] Eight times a second: each worker brings a beat of its own.
- [ ] Four times a second, as before: the workers see each other, and agree on one beat.
- [ ] Four times a second, and each message goes to both workers.

## Why

`-B` starts a beat as a child of each worker. The workers do talk to each other (that is the line
"mingle: searching for neighbors"), but not about beat. So a number that you change because of the
load changes how often the night's clean-up runs. Nothing is logged but two calm lines in two logs.

The last row has the same two workers, without `-B`, and one beat beside them: the schedule is sent
once, and both workers are there to work.

## Fix

`-B` at your desk, never where workers are scaled. In production beat is a program of its own, of
which there is exactly one: see `two_beats`.
"""

from lab.bench import celery, wait_until

TOWER = """
from celery import Celery

app = Celery("tower", broker="redis://localhost:6379/0")
app.conf.beat_schedule = {
    "ring": {"task": "tower.ring", "schedule": 0.25, "options": {"expires": 60}},
}

@app.task(ignore_result=True)
def ring():
    pass
"""

SENT = "Sending due task ring"


def run(bench):
    (bench.folder / "tower.py").write_text(TOWER)

    apart = {"CELERY_BROKER_URL": bench.broker.url[:-1] + "1"}  # another database of Redis

    def worker(*options, env=None):
        return bench.worker("tower", cwd=bench.folder, options=options, env=env, wait=False)

    inside = [worker("-B", "--schedule", str(bench.folder / f"beat{number}")) for number in (1, 2)]
    workers = [worker(env=apart) for _ in range(2)]
    argv = celery("tower", "beat", "--loglevel", "INFO")
    beat = bench.process("beat", argv, cwd=bench.folder, env=apart)
    bench.all_ready()

    def sent():
        return [each.log().count(SENT) for each in (*inside, beat)]

    wait_until(lambda: all(sent()), "they do not send", log=beat.log)
    before = sent()
    # Both are watched over the same time.
    wait_until(lambda: sent()[2] >= before[2] + 60, "beat does not send", timeout=120, log=beat.log)
    one, two, alone = (now - then for now, then in zip(sent(), before, strict=True))
    workers_send = sum(each.log().count(SENT) for each in workers)
    return [
        {"what runs": "two workers with -B", "sent": one + two, "by": f"{one} and {two}"},
        {"what runs": "two workers, and one beat", "sent": alone + workers_send, "by": f"{alone}"},
    ]


def claims(rows):
    inside, beside = rows
    return {
        "two workers with -B send much more than one beat, nearly twice as much": inside["sent"]
        > 1.3 * beside["sent"],
        "beside a beat, workers send nothing": beside["by"] == str(beside["sent"]),
    }
