"""Given: RedBeat. The schedule lives in Redis, and can be changed while beat runs.

celery -A clock beat --scheduler clock.redbeat:Scheduler --loglevel INFO

Start two of them, on two machines. One sends; the other waits for its lock.
"""

from redbeat import RedBeatScheduler, RedBeatSchedulerEntry

from clock.scheduler import TellsDueTime


class Entry(RedBeatSchedulerEntry):
    """What stands in the code, the code decides. All other entries come from Redis.

    RedBeat writes a schedule to Redis as an interval or as a crontab. A class of our own would
    come back as the crontab it is made from, and would have forgotten its holidays.
    """

    def __init__(self, name=None, task=None, schedule=None, *args, app=None, **kwargs):
        schedule = app.conf.beat_schedule.get(name, {}).get("schedule", schedule)
        super().__init__(name, task, schedule, *args, app=app, **kwargs)


class Scheduler(TellsDueTime, RedBeatScheduler):
    """RedBeat's own scheduler, with entries of ours."""

    Entry = Entry
