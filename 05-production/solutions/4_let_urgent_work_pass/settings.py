"""Celery's settings."""

broker_url = "redis://localhost:6379/0"
task_ignore_result = True

task_routes = {
    "shop.print_urgent": {"queue": "urgent"},
    "shop.print_order": {"queue": "orders"},
    "shop.make_statement": {"queue": "bulk"},
}
worker_disable_prefetch = True
