from celery.exceptions import TimeoutError

from lab.bench import TooLate, wait_until

KEY = "lock:tank"


def check(bench):
    redis = bench.broker.client
    # One worker is going to be killed. Its lock is a short one. The other one has all the time.
    workers = [
        bench.worker("darkroom", queues="doomed", env={"TANK_SECONDS": "1"}, wait=False),
        bench.worker("darkroom", concurrency=2, wait=False),
    ]
    from darkroom import develop

    def rolls():
        return redis.lrange("tank", 0, -1)

    def send(roll, queue="celery"):
        """Send a roll, and wait until it is in the tank or the task has ended."""
        result = develop.apply_async((roll,), queue=queue)
        try:
            wait_until(lambda: roll in rolls() or result.ready(), "no", timeout=30)
        except TooLate:
            raise AssertionError(
                f"The roll {roll!r} neither gets into the tank nor comes back. Does your task wait "
                "for the lock? It should return 'busy' at once."
            ) from None
        return result

    def ring(result, roll, word="done"):
        """Let the timer ring, and wait until the task has ended."""
        redis.rpush(f"timer:{roll}", word)
        try:
            return result.get(timeout=30, propagate=False)
        except TimeoutError:
            raise AssertionError(
                f"The roll {roll!r} is out of the tank, and does not end."
            ) from None

    def enters(roll, why):
        result = send(roll)
        said = result.traceback.splitlines()[-1] if result.failed() else repr(result.result)
        assert roll in rolls(), f"{why} The task says: {said}."
        return result

    bench.all_ready()

    # Two at once
    bay = enters("bay", "The tank is empty, and the roll 'bay' does not get in.")
    moor = send("moor")
    assert "moor" not in rolls(), (
        "The roll 'bay' was in the tank, and another worker put 'moor' into it. Both are lost. "
        "Who tells the second one that somebody is there?"
    )
    assert moor.result == "busy", (
        f"The tank was taken. `develop` should return 'busy', and it says: {moor.result!r}."
    )
    assert redis.exists(KEY), f"A roll is in the tank, and there is no key {KEY} in Redis."
    said = ring(bay, "bay")
    assert said == "developed", (
        f"`develop` should return what the tank returns, and says: {said!r}."
    )

    # It comes free
    cove = enters("cove", "The roll 'bay' is done, and the tank is still locked.")
    ring(cove, "cove", "torn")
    dune = enters(
        "dune", "The film 'cove' was torn, and the tank stayed locked. Who frees it after an error?"
    )
    ring(dune, "dune")

    # SIGKILL
    send("fjord", queue="doomed")
    workers[0].kill()

    def after_the_kill():
        number = after_the_kill.tries = after_the_kill.tries + 1
        result = send(f"gorge {number}")
        return f"gorge {number}" in rolls() and (result, f"gorge {number}")

    after_the_kill.tries = 0
    try:
        gorge, name = wait_until(after_the_kill, "it stays locked", timeout=30)
    except TooLate:
        raise AssertionError(
            "A worker was killed while it had the lock, and long after "
            "tank.SECONDS nobody gets into the tank. No `finally` runs after a SIGKILL: what makes "
            "a key in Redis go away by itself?"
        ) from None

    # Too late
    redis.pexpire(KEY, 1)  # the time of this roll is over
    wait_until(lambda: not redis.exists(KEY), "the lock does not expire")
    heath = enters("heath", "The lock has expired, and the roll 'heath' does not get in.")
    ring(gorge, name)
    send("isle")
    assert "isle" not in rolls(), (
        "A roll took longer than tank.SECONDS and lost its lock to 'heath'. When it was done, it "
        "removed the lock of 'heath', and 'isle' got into the same tank. How does a holder know "
        "that the lock is still its own?"
    )
    ring(heath, "heath")
