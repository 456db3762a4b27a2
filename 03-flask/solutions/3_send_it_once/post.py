"""The way to the mail server. It is complete: nothing is to be done here."""

import os
import smtplib
from email.message import EmailMessage


class Later(Exception):
    """The server has not taken the mail. It may take it later."""


class NoAnswer(Exception):
    """The mail went out, and no answer came back. The server may have it, or not."""


def deliver(album, address):
    """Give one mail to the server. Returns when the server has taken it.

    Raises `Later` or `NoAnswer`.
    """
    message = EmailMessage()
    message["From"], message["To"] = "studio@example.org", address
    message["Subject"] = f"A new album: {album}"
    try:
        with smtplib.SMTP("127.0.0.1", int(os.environ.get("SMTP_PORT", "8025"))) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise Later(str(error)) from error
    except smtplib.SMTPServerDisconnected as error:
        raise NoAnswer(str(error)) from error
