# Django imports this package first. So every process of the album has the app before any task is
# sent: a @shared_task finds it, and with it the broker.
from album.celery import app as celery_app

__all__ = ["celery_app"]
