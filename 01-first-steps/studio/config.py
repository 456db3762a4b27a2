"""The studio's settings: plain names in a module. A worker reads them when it starts."""

broker_url = "redis://localhost:6379/0"
result_backend = "redis://localhost:6379/0"

# Developing takes long. Workers that do nothing else read this queue.
task_routes = {"studio.tasks.develop": {"queue": "darkroom"}}
