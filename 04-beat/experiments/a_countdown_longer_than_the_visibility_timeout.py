"""# A reminder with a long countdown. How often does it come?

## Question

You send a reminder with a countdown of ten seconds. The broker's visibility timeout is three
seconds. Two workers run, both are well, and neither is stopped. A second reminder goes onto a
list, and beat looks every five seconds what is due there. How often is each of them sent?

## Predict

- [ ] Once each: no worker died, so nothing is delivered again.
- [x] The countdown several times, the one on the list once.
- [ ] The countdown never: after three seconds Redis throws it away.

## Why

A countdown does not wait in Redis. A worker takes the message at once, keeps it in its memory
until the time has come, and acknowledges it then. Redis knows no workers. It knows that a message
was taken three seconds ago and is not acknowledged, as if its worker had died, so it is given
out again. Now two workers hold it, or one holds it twice. Three seconds later it is given out a
third time. When the time has come, each of them runs it.

The default is an hour. So a countdown of two hours is enough, with healthy workers. Kombu looks
about every 100 seconds only: `unacked_restore_interval` and `unacked_restore_throttle` make it
look more often here.

On the list, a reminder is a member of a sorted set. No message exists until it is due.

## Fix

Nothing far away as a countdown or an `eta`. Write it down with its time, and let beat look: see
`clock/remind.py`. What must not be said twice gets a key of its own, as in `say`. A longer
`visibility_timeout` moves the border, and makes a task that really was lost wait longer.
"""

from datetime import UTC, datetime, timedelta

from lab.bench import celery, wait_until

SHORT = {
    "clock/celery.py": (
        "app.conf.task_ignore_result = True\n",
        """app.conf.task_ignore_result = True
app.conf.broker_transport_options = {
    "visibility_timeout": 3,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
""",
    )
}

# What everybody writes.
NAIVE = """

@app.task
def call(text):
    logger.info("Reminder: %s", text)
"""


def run(bench):
    folder = bench.copy(SHORT)
    tasks = folder / "clock" / "tasks.py"
    tasks.write_text(tasks.read_text() + NAIVE)
    bench.use(folder)
    from clock import remind
    from clock.tasks import call

    workers = [bench.worker("clock", cwd=folder, wait=False) for _ in range(2)]
    bench.process("beat", celery("clock", "beat", "--loglevel", "INFO"), cwd=folder)
    bench.all_ready()
    sent = call.apply_async(("by countdown",), countdown=10)
    remind.add(datetime.now(UTC) + timedelta(seconds=8), "on the list")

    def logs():
        return "\n".join(worker.log() for worker in workers)

    def held():
        """The copies of the countdown that Redis still holds."""
        now = bench.xray()
        return [each for each in [*now.queues["celery"], *now.unacked] if each.id == sent.id]

    def all_have_run():
        """Whether every copy has run that was given out.

        To Redis all of them are one message: the first that begins is acknowledged for all. So
        when Redis holds none, each worker says first that it has taken none since.
        """
        if held() or not all(worker.answers() for worker in workers):
            return False
        now = bench.timeline()
        ended = [run for run in now.runs if run.id == sent.id and run.ended is not None]
        return len(ended) == len(now.received[sent.id])

    rows = []
    for text, task in (("by countdown", "call"), ("on the list", "say")):
        line = f"Reminder: {text}"
        wait_until(lambda line=line: line in logs(), f"no {line}", timeout=60, log=logs)
        wait_until(all_have_run, "the countdown does not end", timeout=60, log=logs)
        runs = [run for run in bench.timeline().runs if run.task == f"clock.tasks.{task}"]
        row = {"reminder": text, "runs": len(runs), "said": logs().count(line)}
        rows.append(row | {"workers alive": sum(worker.running for worker in workers)})
    return rows


def claims(rows):
    countdown, listed = rows
    return {
        "both workers are well": {row["workers alive"] for row in rows} == {2},
        "the countdown runs several times": countdown["runs"] > 1,
        "and it is said several times": countdown["said"] > 1,
        "the reminder on the list is said once": listed["said"] == 1,
    }
