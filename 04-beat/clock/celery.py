"""The clock's app. Two programs use it, side by side:

celery -A clock worker --loglevel INFO     runs the tasks
celery -A clock beat --loglevel INFO       sends them, when they are due
"""

from celery import Celery

from clock.schedule import SCHEDULE
from clock.store import REDIS_URL

app = Celery("clock", broker="redis://localhost:6379/0", include=["clock.tasks"])
# Nobody asks for what these tasks return. With nothing to expire, beat does not add a task of its
# own either: celery.backend_cleanup, at 04:00.
app.conf.task_ignore_result = True
app.conf.result_expires = None

app.conf.beat_schedule = SCHEDULE
# "17:03" is 17:03 on the studio's wall, in summer and in winter. Without this line it is UTC.
app.conf.timezone = "Europe/Paris"
app.conf.beat_scheduler = "clock.scheduler:Scheduler"
# `celery -A clock inspect ping` reaches beat as well.
app.conf.beat_enable_remote_control = True

# RedBeat keeps the schedule in Redis. It does not look at the broker's URL: it needs its own.
app.conf.redbeat_redis_url = REDIS_URL
# When it starts and Redis is away, it waits for so many seconds. When Redis goes away later,
# RedBeat ends: let the program that started it (systemd, say) start it again.
app.conf.redbeat_redis_options = {"retry_period": 60}
# beat looks at its schedule this often: a change is noticed after 5 seconds, not after 300.
app.conf.beat_max_loop_interval = 5
# After so many seconds without a sign of life, another RedBeat takes over. Several times as long
# as the line before: who is slow once does not lose its place.
app.conf.redbeat_lock_timeout = 25
