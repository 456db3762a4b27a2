"""# You changed the task and saved. Which code runs?

## Question

Three programs run at your desk: `manage.py runserver`, a worker, and a worker under `watchfiles`.
A task returns "old". You change it to return "brand new", save, and call it in both. What do
they answer?

## Predict

- [ ] Both "brand new": a worker starts a fresh process for each task.
- [x] The plain worker "old", the one under `watchfiles` "brand new".
- [ ] Both "old", until you restart them.

## Why

A worker imports your code when it starts, and never looks at the files again. Its pool processes
are forked from it and have the same code. `runserver` looks at the files and starts itself again.
So after a change the site is new and the worker is old: the site sends arguments or names of
tasks that the worker does not know.

`watchfiles` is the same for any command. It stops the worker and starts it again when a file
changes.

## Fix

At your desk: `watchfiles --filter python "celery -A album worker --loglevel INFO" album`. In
production restart the workers with every release, and let the new task accept yesterday's
arguments: some messages of the old site still wait.
"""

import sys

from lab.bench import WORKER_READY, free_port, wait_until

ANSWER = {
    "album/tasks.py": (
        "    ).send()\n",
        """    ).send()


@shared_task
def answer():
    return "old"
""",
    )
}

CALL = """
from album.tasks import answer
for queue in ("plain", "watched"):
    print(answer.apply_async(queue=queue).get(timeout=60))
"""

WATCHED = "celery -A album worker --loglevel INFO --concurrency 1 --without-mingle --queues watched"


def run(bench):
    folder, env = bench.copy(ANSWER), {"ALBUM_DATA": str(bench.folder / "data")}
    watch = ["watchfiles", "--sigint-timeout", "60", "--filter", "python", WATCHED, "album"]
    watched = bench.process("watchfiles", watch, cwd=folder, env=env)
    port = str(free_port())
    serve = [sys.executable, "manage.py", "runserver", port]
    site = bench.process("runserver", serve, cwd=folder, env=env)
    plain = bench.worker("album", queues="plain", cwd=folder, env=env)
    watched.wait_for(WORKER_READY)
    site.wait_for("Quit the server")
    rows = []

    def call(when):
        plain, watched = bench.python(CALL, cwd=folder, env=env).split("\n")[:2]
        row = {"when": when, "worker": plain, "under watchfiles": watched}
        rows.append(row | {"runserver has reloaded": site.log().count("reloading")})

    call("before")
    tasks = folder / "album" / "tasks.py"
    edited = tasks.with_suffix(".edited")
    edited.write_text(tasks.read_text().replace('"old"', '"brand new"'))
    edited.replace(tasks)  # in one step: nobody sees half of it, or reloads twice
    site.wait_for("reloading")
    wait_until(
        lambda: watched.log().count(WORKER_READY) == 2,
        "watchfiles did not restart its worker",
        log=watched.log,
    )
    call("after the change")
    plain.kill()
    bench.worker("album", queues="plain", cwd=folder, env=env)
    call("the worker restarted")
    return rows


def claims(rows):
    before, changed, restarted = rows
    return {
        "before, both are old": [before["worker"], before["under watchfiles"]] == ["old", "old"],
        "the site has reloaded": changed["runserver has reloaded"] == 1,
        "the running worker still runs the old code": changed["worker"] == "old",
        "under watchfiles the new code runs": changed["under watchfiles"] == "brand new",
        "restarted, the worker runs the new code": restarted["worker"] == "brand new",
    }
