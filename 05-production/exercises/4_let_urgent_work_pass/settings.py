"""Celery's settings."""

broker_url = "redis://localhost:6379/0"
task_ignore_result = True

# TODO: all of the work is in one queue, whose name is celery.
# TODO: a worker takes messages for which it has no time yet.
