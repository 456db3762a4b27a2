import json
import os
import signal
import time

from lab.bench import TooLate, wait_until

# The learner's worker, which looks every second for messages that are lost.
QUICK = """
from hall import app

app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 1,  # whoever is killed while it looks holds nobody up
}
"""
ORDERS = {"harbour": "doomed", "wedding": "celery", "moor": "celery", "panorama": "celery"}
BACK = 20 * 60  # seconds after which an order must be back
LOOKS = 100  # seconds after which a worker looks again for what is lost, at the latest
TRIES = 3


def check(bench):
    redis = bench.broker.client
    import machine
    from hall import app, print_order

    options = app.conf.broker_transport_options
    assert isinstance(options, dict), "broker_transport_options should be a dict."
    (bench.folder / "quick.py").write_text(QUICK)
    where = {"cwd": bench.folder, "env": {"PYTHONPATH": str(bench.chapter)}, "wait": False}
    doomed = bench.worker("quick", queues="doomed", **where)
    worker = bench.worker("quick", concurrency=4, **where)
    bench.all_ready()
    sent = {order: print_order.apply_async([order], queue=queue) for order, queue in ORDERS.items()}

    def until(condition, otherwise):
        try:
            wait_until(condition, "no")
        except TooLate:
            raise AssertionError(otherwise) from None

    def begun(order):
        return redis.lrange("machine:begun", 0, -1).count(order)

    def taken():
        """The messages in unacked: for each id its tag."""
        raw = redis.hgetall("unacked").items()
        return {json.loads(text)[0]["headers"]["id"]: tag for tag, text in raw}

    for order in ("harbour", "wedding", "moor"):
        until(lambda order=order: begun(order), f"Nobody prints {order!r}.")
        until(
            lambda order=order: (sent[order].id in taken()) == bool(print_order.acks_late),
            f"{order!r} is being printed, and its message is not where it should be.",
        )
    app.control.add_consumer("doomed", destination=[f"{worker.name}@bench"], reply=True, timeout=9)
    os.kill(int(redis.hget("machine:process", "moor")), signal.SIGKILL)
    doomed.kill()

    # The whole worker
    assert sent["harbour"].id in taken(), (
        "A worker was killed by SIGKILL while it printed 'harbour'. Now there is no message of "
        "that order any more: it was acknowledged when its task began. When should that happen?"
    )
    long_ago = {"harbour": BACK, "wedding": machine.LONGEST}
    tags, now = taken(), int(time.time())
    scores = {tags[sent[order].id]: now - seconds for order, seconds in long_ago.items()}
    redis.zadd("unacked_index", scores, xx=True)
    look(redis, app, worker, until)
    left = {tag: redis.zscore("unacked_index", tag) for tag in scores}
    stays = {order: left[tags[sent[order].id]] == now - long_ago[order] for order in long_ago}
    timeout = options.get("visibility_timeout")
    assert stays["wedding"], (
        f"The visibility timeout is {timeout} seconds. 'wedding' was still being printed, after "
        "ten minutes, and nobody was killed. But its message counted as lost, and a "
        "second process prints it now. How long must a message be allowed to stay away?"
    )
    known = f"The visibility timeout is {timeout} seconds."
    unknown = (
        "You have set no visibility timeout: it is an hour. It is an option of the transport, so "
        "it stands in the dict broker_transport_options."
    )
    assert not stays["harbour"], (
        "A worker was killed with 'harbour' 20 minutes ago, and the message still lies in unacked. "
        f"{unknown if timeout is None else known}"
    )
    assert timeout + LOOKS <= BACK, (
        f"{known} Then the message counts as lost, and somebody has to look for it. A worker looks "
        f"every {LOOKS} seconds. When is the order back at the latest?"
    )

    # Only the pool process
    until(
        lambda: begun("moor") > 1 or sent["moor"].state in ("RETRY", "FAILURE"),
        "A pool process was killed while it printed 'moor', and nothing has happened since.",
    )
    assert sent["moor"].state != "FAILURE", (
        "Only the pool process was killed while it printed 'moor', and its worker lives. For the "
        "worker the task has failed, acknowledged late or not: the state is FAILURE. Which setting "
        "has it tried again?"
    )
    delay = print_order.default_retry_delay or 0
    assert begun("moor") > 1 or delay <= 2, (
        f"The pool process that printed 'moor' was killed. Celery waits {delay:g} seconds before "
        "it tries again. Which option of the task says how long?"
    )
    until(lambda: begun("moor") > 1, "'moor' should be tried again, and is not.")
    until(
        lambda: sent["panorama"].ready() or begun("panorama") > TRIES + 1,
        f"'panorama' was tried {begun('panorama')} times, and it does not come to an end.",
    )
    tries, state = begun("panorama"), sent["panorama"].state
    assert state == "FAILURE", (
        f"'panorama' has killed {tries} pool processes, and it is tried again and again, all "
        "night. Who counts?"
    )
    assert tries == TRIES, (
        f"'panorama' has killed {tries} pool processes, and {TRIES} tries were allowed. Its "
        f"max_retries is {print_order.max_retries}. That counts what comes after the first try."
    )

    # All that can be printed
    good = ("harbour", "wedding", "moor")
    redis.mset({f"machine:ready:{order}": "yes" for order in good})
    for order in good:
        until(
            lambda order=order: order in redis.lrange("machine:printed", 0, -1),
            f"{order!r} was sent, and it is not printed.",
        )
    assert begun("wedding") == 1, (
        f"Nobody was killed while 'wedding' was printed, and it was begun {begun('wedding')} times."
    )


def look(redis, app, worker, until):
    """Return when a worker has looked for lost messages, from now on.

    One that nobody has is lost since 1970. It is the last that a worker finds.
    """
    app.send_task("nothing", queue="found")
    message = redis.rpop("found")
    redis.hset("unacked", "lost", json.dumps([json.loads(message), "", "found"]))
    redis.zadd("unacked_index", {"lost": 0})
    until(lambda: redis.llen("found"), f"The worker does not look:\n{worker.log()[-900:]}")
