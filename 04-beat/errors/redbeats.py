"""What RedBeat prints about Redis and its lock. Three RedBeats start at once."""

from lab.bench import celery
from lab.course.catalogue import provokes


def prepare(bench):
    """One gets the lock, one waits for it, and one looks for Redis where there is none."""
    redis = {"away": {"REDIS_URL": "redis://127.0.0.1:9/0"}}

    def start(name):
        argv = celery("clock", "beat", "--scheduler", "clock.redbeat:Scheduler")
        argv += ["--max-interval", "1", "--loglevel", "DEBUG"]
        return bench.process(name, argv, env=redis.get(name))

    start("away")
    start("first").wait_for("beat: Acquired lock", timeout=60)
    start("second")


def log(bench, name, text):
    """The log of a RedBeat, as soon as `text` stands in it."""
    beat = next(each for each in bench.processes if each.name == name)
    beat.wait_for(text, timeout=60)
    return beat.log()


@provokes("beat: Retrying Redis connection in ... seconds...")
def redis_is_away(bench):
    """# RedBeat retries its connection to Redis

    ## Why

    RedBeat has a connection of its own, beside that of the broker. Its Redis does not answer. It
    tries again for `retry_period` seconds, if you have set that in `redbeat_redis_options`. If not,
    it dies at the first error.

    ## Fix

    Start Redis. If it runs: RedBeat does not read `CELERY_BROKER_URL`. Set `redbeat_redis_url`, and
    compare the line "redis ->" that it prints at its start.
    """
    return log(bench, "away", "Retrying Redis connection")


@provokes("beat: Acquiring lock...")
def another_has_the_lock(bench):
    """# RedBeat starts, and sends nothing

    ## Why

    Another RedBeat has the lock, and this one waits until it is given back or expires. That is what
    it is for. When no other runs, the last one was killed: its lock is held until
    `redbeat_lock_timeout` is over. Without `--loglevel DEBUG` not even this line is printed.

    ## Fix

    Wait. Who has the lock, nobody knows, but how long: `TTL redbeat::lock` in Redis. The default is
    five times `beat_max_loop_interval`, 25 minutes if you have set neither.
    """
    return log(bench, "second", "beat: Acquiring lock...")


@provokes("Cannot extend a lock that's no longer owned")
def the_lock_is_lost(bench):
    """# RedBeat dies: Cannot extend a lock that's no longer owned

    ## Why

    RedBeat extends its lock each time it looks at the schedule. Now the lock was gone, or another
    one had it: Redis was restarted or emptied, or this beat stood still for longer than
    `redbeat_lock_timeout`. It dies, which is right: the other one sends already.

    ## Fix

    Let systemd or the container's restart policy start it again: it waits for the lock then. If it
    happens often, `redbeat_lock_timeout` is too short. Make it several times
    `beat_max_loop_interval`.
    """
    log(bench, "first", "beat: Waking up")
    bench.broker.client.delete("redbeat::lock")
    return log(bench, "first", "no longer owned")
