"""A task queue in thirty lines: a Redis list, a function that sends, a loop that works."""

import json
import os

import print_lab
from redis import Redis

URL = os.environ.get("REDIS_URL", "redis://localhost")
redis = Redis.from_url(URL, socket_timeout=None)  # by default it would wait five seconds, and fail
TASKS = {"print_photo": print_lab.print_photo}


def send(task, *args):
    """Push a message into the list, on the left. Nobody has to be there to take it."""
    redis.lpush("queue", json.dumps({"task": task, "args": args}))


def work():
    """Pop one message after the other, on the right: the oldest first."""
    print("ready", flush=True)
    while True:
        _, text = redis.brpop("queue")  # sleeps until there is one
        message = json.loads(text)
        TASKS[message["task"]](*message["args"])


if __name__ == "__main__":
    work()
