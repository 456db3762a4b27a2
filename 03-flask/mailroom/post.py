"""Given: the way to the mail server, and the one moment in which nobody knows."""

import smtplib
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP

from flask import current_app


class TryLater(Exception):
    """The server has not taken the mail. It may take it later."""


class Refused(Exception):
    """The server does not want this mail, now or later."""


class Unconfirmed(Exception):
    """The mail went out, and no answer came back."""


def deliver(message: EmailMessage) -> None:
    """Give one mail to the server. Returns when the server has taken it.

    Raises `TryLater`, `Refused` or `Unconfirmed`.
    """
    content = written(message)
    try:
        server = connect()
    except (OSError, smtplib.SMTPException) as error:
        raise TryLater(f"no connection: {error}") from error
    try:
        check(*server.mail(message["From"].addresses[0].addr_spec))
        check(*server.rcpt(message["To"].addresses[0].addr_spec))
    except (OSError, smtplib.SMTPException) as error:
        server.close()
        raise TryLater(f"the connection broke: {error}") from error
    except (TryLater, Refused):
        goodbye(server)
        raise
    try:
        answer = server.data(content)
    except smtplib.SMTPDataError as error:
        answer = (error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        # The server may have sent the mail on, or not. To send it again could be to send it twice.
        raise Unconfirmed(f"no answer came back: {error}") from error
    goodbye(server)
    check(*answer)


def written(message: EmailMessage) -> bytes:
    """The mail as it goes out, with our headers and no others.

    Raises `Refused`. Nothing should get so far: it is the last door before the mail server.
    """
    try:
        content = message.as_bytes(policy=SMTP)
    except (MessageError, ValueError) as error:
        raise Refused("no mail can be written for this name and address") from error
    if BytesHeaderParser().parsebytes(content).keys() != message.keys():
        raise Refused("this mail would carry a header that somebody else has written")
    return content


def connect() -> smtplib.SMTP:
    config = current_app.config
    server = smtplib.SMTP(config["SMTP_HOST"], config["SMTP_PORT"], timeout=config["SMTP_TIMEOUT"])
    if config["SMTP_USER"]:
        server.starttls()
        server.login(config["SMTP_USER"], config["SMTP_PASSWORD"])
    server.ehlo_or_helo_if_needed()
    return server


def check(code: int, words: bytes) -> None:
    """What the three digits of the server's answer mean: 2 is yes, 4 is later, 5 is no."""
    said = f"{code} {words.decode('utf-8', 'replace')}"
    if 400 <= code < 500:
        raise TryLater(said)
    if not 200 <= code < 300:
        raise Refused(said)


def goodbye(server: smtplib.SMTP) -> None:
    """End the connection. The outcome is known: a server that breaks now changes nothing."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()
