"""Redis goes away, and comes back. What is printed by those who need it."""

import shutil

from lab.bench import WORKER_READY, wait_until
from lab.course.catalogue import provokes, raised

PRINTER = """
import time

from celery import Celery

app = Celery("printer", broker="redis://localhost:6379/0")


@app.task(acks_late=True)
def print_order():
    print("printing")
    time.sleep(600)
"""

CASES = ("idle", "busy")


def prepare(bench):
    """Let two workers lose their Redis. One of them prints."""
    (bench.folder / "printer").mkdir()
    (bench.folder / "printer" / "printer.py").write_text(PRINTER)
    bench.use(bench.folder / "printer")
    from printer import print_order

    for case in CASES:
        bench.worker("printer", queues=case, wait=False)
    print_order.apply_async(queue="busy")
    for case in CASES:
        of(bench, case).wait_for("printing" if case == "busy" else WORKER_READY)
    bench.broker.kill()
    of(bench, "idle").wait_for("Cannot connect to redis")
    bench.broker.start()


def of(bench, case):
    """The worker of a case."""
    return next(each for each in bench.processes if case in each.argv)


@provokes("consumer: Connection to broker lost. Trying to re-establish the connection... (...)")
def a_lost_connection(bench):
    """# Connection to broker lost

    ## Why

    Redis was restarted, or the network was gone for a moment. The worker tries again and again
    ("Cannot connect to ... Trying again in 2.00 seconds... (1/100)"), and says "Connected to" when
    it is there again. Tasks that run meanwhile go on. What the error was stands in brackets.

    ## Fix

    None, if "Connected to" follows. What Redis has lost is another matter: a message it had not
    written to its disk is gone. Give it `appendonly yes`, and keep a record of your own of what is
    to be done.
    """
    worker = of(bench, "idle")
    wait_until(lambda: worker.log().count("Connected to") == 2, "not connected", log=worker.log)
    return worker.log()


@provokes(
    "AttributeError: 'NoneType' object has no attribute 'hostname'",
    "Unrecoverable error: AttributeError(\"'NoneType' object has no attribute 'hostname'\")",
)
def a_worker_with_work(bench):
    """# Redis was restarted, and the worker has ended

    ## Why

    When Redis went away, the worker held a message that it had not acknowledged: that of a running
    task with `acks_late`, or a reserved one. It wants to give it back over the connection that is
    gone, and this error, a bug of Celery 5.7, ends the worker. First it waits for the task that
    runs, and takes nothing new. A worker that held nothing connects again.

    ## Fix

    Let something start the worker again when it ends: systemd, Docker, a supervisor. The message
    comes back after the `visibility_timeout`, if Redis has kept it on its disk. So the task may run
    twice.
    """
    worker = of(bench, "busy")
    worker.wait_for("has no attribute 'hostname'")
    return worker.log()


@provokes(
    "CPendingDeprecationWarning: In Celery 5.1 we introduced an optional breaking change which on "
    "connection loss cancels all currently executed tasks with late acknowledgement enabled."
)
def a_change_of_default(bench):
    """# A warning of Celery 5.1 after each lost connection

    ## Why

    A task with `acks_late` that runs while the connection is lost cannot be acknowledged: its
    message is delivered again, and the task runs twice. Celery 6 is going to cancel such a task.
    Celery 5.7 lets it run, and says this.

    ## Fix

    Choose `worker_cancel_long_running_tasks_on_connection_loss = True`, and the warning is gone. Or
    live with it: a task that may run twice without harm can just as well go on.
    """
    return of(bench, "idle").log()


@provokes(
    "MISCONF ... is configured to save RDB snapshots, but it's currently unable to persist to disk."
)
def no_room_on_the_disk(bench):
    """# MISCONF: Redis is unable to persist to disk

    ## Why

    Redis could not write its snapshot: the disk is full, or the folder is not there, or it is not
    allowed to write there. So that nobody trusts in what would be lost, it now refuses each write.
    Nobody can send a task, and no worker can take one.

    ## Fix

    The log of Redis says what failed: make room, or fix the folder (`CONFIG GET dir`). After the
    next snapshot (`redis-cli bgsave`) it takes writes again. `stop-writes-on-bgsave-error no` only
    hides the message.
    """
    redis = bench.broker.client
    redis.config_set("save", "3600 1")
    shutil.rmtree(bench.folder / "broker")
    redis.bgsave()
    failed = "Redis did not notice that its folder is gone"
    wait_until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", failed)
    from printer import print_order

    return raised(lambda: print_order.apply_async(retry=False))
