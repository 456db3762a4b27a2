"""What goes wrong while a task runs. One worker runs all the bad tasks."""

from lab.bench import wait_until
from lab.course.catalogue import provokes, raised

BAD = """import os
import signal
import time

from celery import Celery
from pydantic import BaseModel

app = Celery("bad", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def add(x, y):
    return x + y


@app.task
async def download(photo):
    return photo


class PaperJam(Exception):
    def __init__(self, printer, page):
        super().__init__(f"{printer}, page {page}")


@app.task
def print_photo(photo):
    raise PaperJam("the big one", 3)


class Order(BaseModel):
    photo: str


@app.task
def order():
    Order(photo=3)


@app.task(bind=True)
def crop():
    return "cropped"


@app.task(autoretry_for=(OSError,), default_retry_delay=0, max_retries=1)
def flaky():
    raise OSError("the shop is closed")


@app.task(bind=True, default_retry_delay=0, max_retries=1)
def stubborn(self):
    raise self.retry()


@app.task
def boom():
    raise ValueError("no such photo")


@app.task
def total(numbers):
    return sum(numbers)


@app.task(soft_time_limit=1)
def slow():
    time.sleep(20)


@app.task(time_limit=1)
def very_slow():
    time.sleep(20)


@app.task
def killed():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def prepare(bench):
    folder = bench.use(bench.copy({}))
    (folder / "bad.py").write_text(BAD)
    bench.worker("bad", concurrency=2)


def log(bench, until=""):
    """What the worker has logged, once a text stands there: a result may come before its line."""
    worker = bench.processes[1]  # the first is the broker
    worker.wait_for(until)
    return worker.log()


@provokes(
    "kombu.exceptions.EncodeError: TypeError('Object of type coroutine is not JSON serializable')"
)
def an_async_task(bench):
    """# The task is an `async def`

    ## Why

    Celery 5.7 calls a task as a plain function. An `async def` returns a coroutine, nobody
    awaits it, and the worker tries to write it as the result. Nothing of its body has run.

    ## Fix

    A plain `def` that says `return asyncio.run(download(photo))`.
    """
    from bad import download

    return raised(lambda: download.delay("harbour.jpg").get(timeout=60))


@provokes("celery.utils.serialization.UnpickleableExceptionWrapper: ...(...)")
def an_exception_of_your_own(bench):
    """# Your exception arrives as UnpickleableExceptionWrapper

    ## Why

    An exception travels from the pool process as its class and its `args`. Yours cannot be made
    again from them: its `__init__` takes other arguments than it gives to `super().__init__`.
    So `except PaperJam` around `.get()` does not catch it.

    ## Fix

    Hand on all arguments, `super().__init__(printer, page)`, and put the text into `__str__`.
    """
    from bad import print_photo

    return raised(lambda: print_photo.delay("harbour.jpg").get(timeout=60))


@provokes("Exception: <class 'pydantic_core._pydantic_core.ValidationError'>([])")
def a_validation_error(bench):
    """# Pydantic's ValidationError arrives as a plain Exception that says nothing

    ## Why

    A `ValidationError` keeps nothing in its `args`, and those are all that is sent back. The
    worker's log has the whole text.

    ## Fix

    Catch it in the task and raise something simple: `raise ValueError(str(error)) from None`.
    """
    from bad import order

    return raised(lambda: order.delay().get(timeout=60))


@provokes("TypeError: ...() takes 0 positional arguments but 1 was given")
def bind_without_self(bench):
    """# The task has `bind=True`, and its function no `self`

    ## Why

    With `bind=True` Celery gives the task itself as the first argument. A function without a
    place for it gets one argument too many, whatever you send.

    ## Fix

    `def crop(self):`. Or leave `bind=True` out when you use neither `self.retry` nor
    `self.request`.
    """
    from bad import crop

    return raised(lambda: crop.delay())


@provokes("Task ... retry: Retry in ...s: ...")
def a_retry_in_the_log(bench):
    """# The log says "Retry in ...s"

    ## Why

    The task has failed and will be tried again: by `autoretry_for`, or by `self.retry`. The
    error that it met stands at the end of the line. After the last try the task fails with it.

    ## Fix

    Nothing, if such errors pass. Otherwise name only those that do in `autoretry_for`: a bug
    retried three times is still a bug.
    """
    from bad import flaky

    return raised(lambda: flaky.delay().get(timeout=60)) + log(bench, "retry: Retry in")


@provokes("celery.exceptions.MaxRetriesExceededError: Can't retry ... args:... kwargs:...")
def no_more_retries(bench):
    """# The retries are used up

    ## Why

    `self.retry()` was called once more than `max_retries` (3, if you say nothing) allows, and
    was not told which error to raise in the end.

    ## Fix

    `raise self.retry(exc=error)`: after the last try the task fails with the real error. Raise
    `max_retries` only if waiting longer helps.
    """
    from bad import stubborn

    return raised(lambda: stubborn.delay().get(timeout=60))


@provokes("celery.exceptions.ChordError: Dependency ... raised ...")
def a_chord_with_a_failure(bench):
    """# One task of a chord has failed, so its last task does not run

    ## Why

    The last task needs the results of all others. When one of them fails, the last one is not
    run: its state becomes FAILURE, with this error. "Dependency" is the id of the one that
    failed.

    ## Fix

    Repair that task. If a missing part is no reason to stop, catch the error in the task and
    return `None` for it.
    """
    from bad import add, boom, total
    from celery import chord

    chord([boom.s(), add.s(1, 1)])(total.s())
    wait_until(lambda: "ChordError" in log(bench), "no ChordError", timeout=60)
    return log(bench)


@provokes("celery.exceptions.TimeoutError: The operation timed out.")
def no_result_in_time(bench):
    """# `.get(timeout=...)` does not get its result in time

    ## Why

    The task has not ended within the timeout. It may run, or wait, or never have been seen by a
    worker: no worker runs, none reads its queue, or its result is ignored. The timeout does not
    stop the task.

    ## Fix

    Look where it is: `lab xray` shows the queues, the worker's log what it has received. See
    `lab run 01/four_causes_of_pending`.
    """
    return bench.python(
        "from bad import add; add.apply_async((1, 1), queue='emials').get(timeout=0.1)"
    )


@provokes("celery.exceptions.TaskRevokedError: revoked")
def a_revoked_task(bench):
    """# The task was revoked before it began

    ## Why

    Somebody called `result.revoke()` or `celery control revoke ID`. The worker has thrown the
    message away.

    ## Fix

    Whoever may revoke must also expect it: catch `TaskRevokedError` around `.get()`, or look at
    `result.state`, which is REVOKED. To have it run after all, send it again.
    """
    from bad import add

    later = add.apply_async((1, 1), countdown=60)
    wait_until(lambda: later.id in log(bench), "the task did not arrive", timeout=60)
    later.revoke()
    return raised(lambda: later.get(timeout=60))


@provokes("celery.exceptions.TaskRevokedError: expired")
def an_expired_task(bench):
    """# The task waited longer than its `expires`

    ## Why

    It was sent with `expires=`, and a worker took it after that time. It throws such a task
    away. Either the workers have more to do than they can, or none was running.

    ## Fix

    If late is as good as in time, leave `expires` out. Otherwise this is as it should be: count
    them, and start more workers when there are many.
    """
    from bad import add

    return raised(lambda: add.apply_async((1, 1), expires=-1).get(timeout=60))


@provokes("celery.exceptions.TaskRevokedError: terminated")
def a_terminated_task(bench):
    """# The task was stopped while it ran

    ## Why

    Somebody revoked it with `terminate=True`, and the worker has killed the pool process in the
    middle of its work.

    ## Fix

    Terminate only tasks that may stop anywhere. A task that should clean up looks from time to
    time whether it is to stop, at a key in Redis for example.
    """
    from bad import slow

    running = slow.apply_async(soft_time_limit=60)
    # "Received" in the log is not enough: what the worker does not know to run is "revoked".
    worker = bench.processes[1]
    wait_until(lambda: running.id in worker.active(), "the task did not begin")
    running.revoke(terminate=True)
    return raised(lambda: running.get(timeout=60))


@provokes(
    "billiard.exceptions.SoftTimeLimitExceeded: SoftTimeLimitExceeded()",
    "Soft time limit (...s) exceeded for ...",
)
def over_the_soft_limit(bench):
    """# The task ran longer than its soft time limit

    ## Why

    After `soft_time_limit` seconds the worker raises this exception inside the task. It is a
    chance to clean up. An `except Exception:` around the work swallows it.

    ## Fix

    Make the task shorter, or the limit longer. Catch `SoftTimeLimitExceeded` by its name to
    clean up, and raise it again.
    """
    from bad import slow

    return raised(lambda: slow.delay().get(timeout=60)) + log(bench, "Soft time limit")


@provokes(
    "billiard.exceptions.TimeLimitExceeded: TimeLimitExceeded(...,)",
    "Hard time limit (...s) exceeded for ...",
)
def over_the_hard_limit(bench):
    """# The task ran longer than its hard time limit

    ## Why

    After `time_limit` seconds the worker kills the pool process and starts a new one. The task
    gets no chance to clean up.

    ## Fix

    Set `soft_time_limit` a little below `time_limit`, and clean up when it comes. The limits
    hold in the prefork pool only, not with `--pool threads` or `solo`.
    """
    from bad import very_slow

    result = raised(lambda: very_slow.delay().get(timeout=60))
    wait_until(lambda: "Hard time limit" in log(bench), "no word in the log", timeout=60)
    return result + log(bench)


@provokes(
    "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: ...",
    "Process '...PoolWorker-...' pid:... exited with 'signal 9 (SIGKILL)'",
)
def a_killed_pool_process(bench):
    """# A pool process was killed with signal 9

    ## Why

    The system has killed it, most often because memory ran out (`dmesg` then says "Out of
    memory"). The worker starts a new process. The task is not tried again.

    ## Fix

    Use less memory: smaller photos at once, a lower `--concurrency`, or new processes now and
    then with `--max-tasks-per-child`. `acks_late=True` with `task_reject_on_worker_lost=True`
    runs the task again, which kills the next process when the task itself is the cause.
    """
    from bad import killed

    return raised(lambda: killed.delay().get(timeout=60)) + log(bench, "exited with")


@provokes(
    "Received invalid task message: Refusing to deserialize untrusted content of type pickle "
    "(application/x-python-serialize)",
    "kombu.exceptions.ContentDisallowed: Refusing to deserialize untrusted content of type pickle "
    "(application/x-python-serialize)",
)
def a_pickled_message(bench):
    """# The worker refuses a pickled message

    ## Why

    The sender uses `task_serializer = "pickle"`. Workers accept JSON only: whoever can put a
    pickle into the queue can run any program on the worker. The message is thrown away, and the
    sender hears nothing.

    ## Fix

    Send JSON: ids, texts and numbers. `accept_content = ["json", "pickle"]` opens the door again,
    for everybody who reaches your Redis.
    """
    from bad import add

    add.apply_async((1, 1), serializer="pickle")
    wait_until(lambda: "ContentDisallowed" in log(bench), "no word in the log", timeout=60)
    return log(bench)
