"""The workers of the shop. Each has one process:

celery -A shop worker --concurrency 1 --queues QUEUES
"""

# A name for each worker, and its queues. Several are written "one,two".
# TODO: who reads which queue?
WORKERS = {
    "first": "celery",
    "second": "celery",
    "third": "celery",
    "fourth": "celery",
}
