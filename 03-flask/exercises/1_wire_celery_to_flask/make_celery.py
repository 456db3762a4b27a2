"""For the worker:  celery -A make_celery worker"""

# TODO: a worker needs an application, and the Celery app of it.
