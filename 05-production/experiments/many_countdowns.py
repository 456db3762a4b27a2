"""# Five hundred reminders, all with a countdown. Who else gets a turn?

## Question

Five hundred reminders are sent, to be run in ten minutes. After them comes one task to be run now.
The worker has one process, which is free. Three times over: with Celery's defaults, with
`worker_eta_task_limit = 100`, and with this limit and `worker_disable_prefetch`. Then a second
worker starts beside it. Where are the reminders, and which worker runs the task?

## Predict

- [ ] In the queue, until it is time. Each time the first worker runs the task at once.
- [ ] In the first worker. Without a limit it has no room for the task, with one it has.
- [x] In the first worker. Without a limit it runs the task at once. With a limit nobody runs it.

## Why

Redis cannot keep a message until its time has come. The worker does: it takes the message, and
keeps it in its memory, unacknowledged. For each it raises its prefetch limit by one. So no limit
stops it: it takes all there are, and a worker that starts later finds nothing. Ten thousand
reminders take about 90 MB, in one process. If it is killed, all of them are missing, until the
visibility timeout has passed.

`worker_eta_task_limit` (since 5.6) stops the raising. At 100 messages the worker is full, and a
full worker takes nothing: not the next reminder, and not what could be run now. Its processes are
free, and it waits. The second worker takes the next hundred, and is full as well.
`worker_disable_prefetch` asks for a free process on top of that, and changes nothing here.

## Fix

No countdown for what is far away, and none by the thousand. Keep it with its time in a record of
its own, and let beat look what is due: see `04/a_countdown_longer_than_the_visibility_timeout`.
Where there are many countdowns, give them a queue and a worker of their own, with the limit. Then
the worker's memory is safe, and only a reminder can wait behind reminders.
"""

import json

from celery import Celery

from lab.bench import wait_until

POST = """
import json
import os

from celery import Celery

app = Celery("post", broker="redis://localhost:6379/0")
app.conf.update(json.loads(os.environ["SETTINGS"]))

@app.task(ignore_result=True)
def remind(number):
    pass

@app.task(ignore_result=True)
def now():
    pass
"""

LIMIT = {"worker_eta_task_limit": 100}
SETTINGS = {
    "defaults": {},
    "limit 100": LIMIT,
    "limit 100, disable_prefetch": LIMIT | {"worker_disable_prefetch": True},
}


def run(bench):
    (bench.folder / "post.py").write_text(POST)
    client, redis, rows = Celery(set_as_current=False), bench.broker.client, []
    queues = [f"queue{number}" for number in range(len(SETTINGS))]

    def start():
        """A worker for each of the settings, on a queue of its own."""
        environments = [{"SETTINGS": json.dumps(its)} for its in SETTINGS.values()]
        workers = [
            bench.worker("post", cwd=bench.folder, queues=queue, env=env, wait=False)
            for queue, env in zip(queues, environments, strict=True)
        ]
        bench.all_ready()
        return workers

    def taken(worker):
        return worker.log().count("post.remind[")  # these lines say "received"

    def come_to_rest(queue, workers):
        """Wait until they have answered three questions, and taken nothing between them."""
        names, seen = [f"{worker.name}@bench" for worker in workers], []

        def at_rest():
            # What is received runs a moment later: there are two lines about it then, or none.
            if any(worker.log().count("post.now[") == 1 for worker in workers):
                return False
            if len(client.control.ping(names, timeout=5, limit=len(names))) == len(names):
                seen.append((redis.llen(queue), *map(taken, workers)))
            return len(seen) > 2 and len(set(seen[-3:])) == 1

        wait_until(at_rest, f"{queue} does not come to rest", timeout=60, log=workers[0].log)

    def send(task, queue, *args, **when):
        client.send_task(f"post.{task}", args, queue=queue, ignore_result=True, **when)

    first = start()
    for queue, worker in zip(queues, first, strict=True):
        for number in range(500):
            send("remind", queue, number, countdown=600)
        send("now", queue)
        come_to_rest(queue, [worker])
    second = start()
    for name, queue, *pair in zip(SETTINGS, queues, first, second, strict=True):
        come_to_rest(queue, pair)
        row = {"settings": name, "the first holds": taken(pair[0]), "the second": taken(pair[1])}
        ran = [" succeeded in " in worker.log() for worker in pair]
        runner = ("the first", "the second")[ran.index(True)] if any(ran) else "nobody"
        rows.append(row | {"in the queue": redis.llen(queue), "the task is run by": runner})
    return rows


def claims(rows):
    defaults, *limited = rows
    return {
        "without a limit the first worker takes all reminders": defaults["the first holds"] == 500
        and defaults["the second"] == defaults["in the queue"] == 0,
        "and runs the task at once": defaults["the task is run by"] == "the first",
        "with the limit each worker takes a hundred": all(
            row["the first holds"] == row["the second"] == 100 for row in limited
        ),
        "and nobody runs the task, which waits in the queue with the rest": all(
            row["the task is run by"] == "nobody" and row["in the queue"] == 301 for row in limited
        ),
    }
