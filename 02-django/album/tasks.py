"""Given: the album's own tasks."""

from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMessage


# OSError: nobody answers. SMTPException: the server answers, and has trouble.
@shared_task(
    ignore_result=True,
    autoretry_for=(OSError, SMTPException),
    retry_backoff=True,
    max_retries=5,
)
def send_feedback(email: str, message: str) -> None:
    """Mail a visitor's message to the studio."""
    EmailMessage(
        subject="Feedback on the album",
        body=message,
        from_email=settings.STUDIO_ADDRESS,
        to=[settings.STUDIO_ADDRESS],
        reply_to=[email],
    ).send()
