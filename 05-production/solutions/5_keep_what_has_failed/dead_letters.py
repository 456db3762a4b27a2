"""What could not be done: the hash `dead` in the shop's memory, a letter for each.

A letter is JSON:  {"task": ..., "args": ..., "kwargs": ..., "reason": ...}
"""

import json

from celery.signals import task_failure
from shop import app, memory


@task_failure.connect
def keep(sender, task_id, exception, args, kwargs, **rest):
    """Put a letter into the hash."""
    letter = {"task": sender.name, "args": args, "kwargs": kwargs, "reason": repr(exception)}
    memory.hset("dead", task_id, json.dumps(letter))


def replay(id):
    """Send the task of a letter again, then take the letter out of the hash."""
    letter = json.loads(memory.hget("dead", id))
    app.send_task(letter["task"], letter["args"], letter["kwargs"])
    memory.hdel("dead", id)
