"""A Django app. It is in INSTALLED_APPS: every process of Django imports it at its start."""

from celery_app import app as celery_app

__all__ = ["celery_app"]
