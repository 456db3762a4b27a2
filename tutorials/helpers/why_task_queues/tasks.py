"""The work as Celery tasks. A worker imports this module, and so does whoever sends."""

import os

import print_lab
from celery import Celery

app = Celery("tasks", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# What a dead worker had taken comes back after an hour, the default. A notebook that wants to see
# it starts its second worker with less. A task that runs longer would be delivered again meanwhile.
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", "3600")),
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
