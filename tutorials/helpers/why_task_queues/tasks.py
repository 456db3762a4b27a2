"""The work as Celery tasks. A worker imports this module, and so does whoever sends."""

import print_lab
from celery import Celery

app = Celery("tasks", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# What a dead worker had taken comes back after 5 s, so that a notebook can show it. The default is
# an hour. A task that runs longer than this would be delivered again while it runs.
app.conf.broker_transport_options = {
    "visibility_timeout": 5,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}


@app.task
def print_photo(name, seconds=0.25):
    return print_lab.print_photo(name, seconds)


# The worker acknowledges its message when it is done, not when it begins.
@app.task(acks_late=True)
def print_photo_at_least_once(name, seconds=0.25):
    return print_lab.print_photo(name, seconds)
