"""# Where does print() in a task end up?

## Question

A task calls `print("RAN", 9)` and writes two lines with a logger. Its module configures the
format of log lines: `logging.basicConfig(format="STUDIO %(message)s")`. You run a worker in a
terminal. What do you see of the print?

## Predict

- [ ] `RAN 9`, as everywhere: print goes to standard output, not to the log.
- [ ] `STUDIO RAN 9`: a worker sends standard output to the log, and the format is mine.
- [x] Three lines of the log, each a WARNING, and `STUDIO` in none.

## Why

A worker puts a log in the place of standard output, at level WARNING, and makes a line of each
`write`. `print("RAN", 9)` writes `RAN`, a space, `9` and the end of the line: three lines and
one that is empty, which is left out. Then the worker takes the root logger for itself ("hijacks"
it): your handlers are thrown away, and your format with them.

## Fix

Write with `get_task_logger(__name__)`: its lines have a level, and name and id of the task. If
you must print, print one string. To keep your own format, set `worker_hijack_root_logger =
False`, as in the second half of the table. Lines of task loggers keep Celery's format even
then. To configure all of it yourself, connect the signal `setup_logging`.
"""

import re

NOISY = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


import logging
from celery.utils.log import get_task_logger

logging.basicConfig(format="STUDIO %(message)s", level=logging.INFO)


@app.task
def noisy():
    print("RAN", 9)
    logging.getLogger("photos").info("developed")
    get_task_logger("photos").info("dried")
    return "done"
""",
    )
}
KEEP = {
    "tasks.py": (
        'return "done"\n',
        """return "done"


app.conf.worker_hijack_root_logger = False
""",
    )
}


def run(bench):
    rows = []
    for hijack, edit in ((True, NOISY), (False, KEEP)):
        bench.use(bench.copy(edit))
        worker = bench.worker("tasks")
        from tasks import noisy

        result = noisy.delay()
        result.get(timeout=60)
        worker.wait_for("succeeded in")
        worker.kill()
        _, _, said = worker.log().partition("] received\n")
        for line in said.splitlines()[:-1]:  # the last says that the task has succeeded
            line = re.sub(r"^\[[-0-9]+ [0-9:]+,[0-9]+", "[...", line).replace(result.id, "...")
            rows.append({"hijack": hijack, "message": line})
    return rows


def claims(rows):
    hijacked = [row["message"] for row in rows if row["hijack"]]
    kept = [row["message"] for row in rows if not row["hijack"]]
    warning, info = "[...: WARNING/ForkPoolWorker-1] ", "[...: INFO/ForkPoolWorker-1] "
    by_task = info + "tasks.noisy[...]: dried"
    return {
        "print('RAN', 9) is three lines, each a WARNING": hijacked[:3]
        == [warning + "RAN", warning + " ", warning + "9"],
        "a logger writes one line, and the configured format is gone": hijacked[3]
        == info + "developed",
        "a task logger adds name and id of the task": hijacked[4:] == [by_task],
        "without the hijack the configured format is back": kept[:4]
        == ["STUDIO RAN", "STUDIO  ", "STUDIO 9", "STUDIO developed"],
        "except for the task logger": kept[4:] == [by_task],
    }
