"""The schedule of any Celery app: loaded, checked by rules, asked what comes, and drawn."""
