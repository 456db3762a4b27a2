"""A task that knows no app. It is complete: nothing is to be done here."""

from celery import shared_task


@shared_task
def print_photo(photo):
    return f"printed {photo}"
