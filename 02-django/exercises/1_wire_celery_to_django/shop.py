"""A Django app. It is in INSTALLED_APPS: every process of Django imports it at its start."""

# TODO: whoever imports the shop should have its Celery app as well.
