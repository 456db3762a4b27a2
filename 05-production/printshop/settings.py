"""Celery's settings. Each line says why it is there, and which experiment shows it."""

broker_url = "redis://localhost:6379/0"
result_backend = "redis://localhost:6379/0"

# What became of an order stands in its folder. Nobody reads a result (nobody_at_redis).
task_ignore_result = True

# A message is done when its task has ended, not when it begins (kill_the_worker).
task_acks_late = True

# A task whose pool process is killed is tried again, but not for ever (the_poison_pill).
task_retry_on_worker_lost = True

# Take a message when a process is free. No order waits behind a long one (one_long_seven_short).
worker_disable_prefetch = True

# Urgent work has a queue and a worker of its own (urgent_behind_bulk).
task_routes = {
    "printshop.tasks.charge": {"queue": "urgent"},
    "printshop.tasks.confirm": {"queue": "urgent"},
    "printshop.tasks.print_photos": {"queue": "normal"},
    "printshop.statement.make_statement": {"queue": "bulk"},
}

# No task may hold a process for ever. Timeouts of its own come first (time_limits).
task_soft_time_limit = 50
task_time_limit = 60

broker_transport_options = {
    # Seconds until a message comes back that a dead worker has not acknowledged. It must be
    # longer than the longest task, or the task runs twice at once (the_healthy_long_task).
    "visibility_timeout": 300,
    # Whoever sends waits at most so long for Redis. The order is kept before (nobody_at_redis).
    "max_retries": 0,
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
}

# A task has so many seconds to end after SIGTERM, if REMAP_SIGTERM=SIGQUIT stands in the worker's
# environment. Then its message goes back to the queue (soft_shutdown).
worker_soft_shutdown_timeout = 10

# A process that has grown to 200 MB is replaced after its task (memory_that_grows).
worker_max_memory_per_child = 200_000  # KiB
