"""What a worker prints when you stop it, or one of its tasks. Each worker has its own queue."""

import signal

from lab.bench import WORKER_READY
from lab.course.catalogue import provokes

PRINTER = """
import os
import time

from celery import Celery

app = Celery("printer", broker="redis://localhost:6379/0")
app.conf.worker_soft_shutdown_timeout = float(os.environ.get("SOFT", 0))


@app.task(acks_late=True)
def print_order(seconds):
    print("printing")
    time.sleep(seconds)
"""

# Each case has a worker. It is in the middle of an order that takes so many seconds.
CASES = {"threads": 60, "ctrl_c": 600, "soft": 600}


def prepare(bench):
    """Start all workers, and let each of them print."""
    (bench.folder / "printer").mkdir()
    (bench.folder / "printer" / "printer.py").write_text(PRINTER)
    bench.use(bench.folder / "printer")
    from printer import print_order

    for case, seconds in CASES.items():
        print_order.apply_async((seconds,), queue=case)
        pool = "threads" if case == "threads" else None
        env = {"SOFT": "2" if case == "soft" else "0"}
        bench.worker("printer", queues=case, pool=pool, env=env, wait=False)
    for case in CASES:
        of(bench, case).wait_for(WORKER_READY)
        of(bench, case).wait_for("printing")


def of(bench, case):
    """The worker of a case."""
    return next(each for each in bench.processes if case in each.argv)


@provokes(
    "pidbox command error: NotImplementedError(\"<class '...TaskPool'> does not implement "
    'kill_job")',
    "NotImplementedError: <class '...TaskPool'> does not implement kill_job",
)
def a_task_in_a_thread(bench):
    """# terminate does nothing: the pool does not implement kill_job

    ## Why

    You revoked a task with `terminate=True`, and its worker has the pool `threads` or `solo`. A
    task can be stopped from outside only where it has a process of its own, and that is `prefork`.
    A thread cannot be killed. The task goes on to its end, and whoever revoked it hears nothing.

    ## Fix

    Let the task itself look at a mark between two steps, and stop. That works in each pool, and it
    stops at a place that you know. If you have to kill, use `--pool prefork`.
    """
    from printer import app

    worker = of(bench, "threads")
    wanted = worker.log().partition("Task printer.print_order[")[2].partition("]")[0]
    app.control.revoke(wanted, terminate=True)
    worker.wait_for("NotImplementedError: ")
    return worker.log()


@provokes(
    "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!",
    "worker: Warm shutdown (MainProcess)",
)
def one_ctrl_c(bench):
    """# After Ctrl-C the worker does not end

    ## Why

    It waits for the tasks that run at this moment, however long they take. It takes no new ones.
    That is the warm shutdown, and a SIGTERM (`kill`, `docker stop`, a deployment) begins it as
    well, without the first of these lines.

    ## Fix

    Wait, or find out what runs: `celery -A ... inspect active`. A second Ctrl-C cuts the tasks
    short. With the default, early acknowledgement, what is cut short is lost. A second SIGTERM
    changes nothing.
    """
    worker = of(bench, "ctrl_c")
    worker.send_group(signal.SIGINT)
    worker.wait_for("worker: Warm shutdown")
    return worker.log()


@provokes("Restoring ... unacknowledged message(s)")
def a_second_ctrl_c(bench):
    """# Restoring unacknowledged messages

    ## Why

    No error: the worker ends, and puts back into the queue what it had taken and not acknowledged.
    These are the messages it had reserved, and with `acks_late` those whose tasks it cut short.
    They are run from their beginning. With early acknowledgement the tasks that it cut short are
    not among them: they are lost.

    ## Fix

    Let each task be run twice without harm. If this line is missing, the worker got a SIGKILL:
    then its messages come back only after the `visibility_timeout`, an hour by default.
    """
    worker = of(bench, "ctrl_c")
    worker.send_group(signal.SIGINT)
    worker.wait()
    return worker.log()


@provokes(
    "Initiating Soft Shutdown, terminating in ... seconds",
    "worker: Cold shutdown (MainProcess)",
)
def a_soft_shutdown(bench):
    """# Cold shutdown: the worker cuts its tasks short

    ## Why

    It got a SIGQUIT, or a second Ctrl-C. Or a SIGTERM, if the variable `REMAP_SIGTERM` is set to
    `SIGQUIT`. With `worker_soft_shutdown_timeout` it announces that, and the tasks have so many
    seconds left. Without, they are cut short at once.

    ## Fix

    Set `worker_soft_shutdown_timeout` to somewhat more than your usual task takes, and to less than
    whoever stops the worker waits until the SIGKILL: 10 seconds for `docker stop`. What takes
    longer needs `acks_late`, so that it comes back.
    """
    worker = of(bench, "soft")
    worker.send(signal.SIGQUIT)
    worker.wait()
    return worker.log()
