"""A task that knows no app. It is complete: nothing is to be done here."""

from celery import shared_task
from flask import current_app


@shared_task
def send_album(address):
    return f"from {current_app.config['SENDER']} to {address}"
