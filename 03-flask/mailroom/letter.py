"""Given: the mail itself, as one subscriber gets it."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

from flask import current_app

from mailroom.record import Mailing


def write(mailing: Mailing, address: str) -> EmailMessage:
    """The mail for one subscriber."""
    subject, text = mailing.redis.hmget(mailing.key(), "subject", "text")
    name = mailing.redis.hget(mailing.key("to"), address) or ""
    sender = current_app.config["SENDER"]
    message = EmailMessage()
    message["From"] = sender
    message["To"] = Address(display_name=name, addr_spec=address)
    # Python reads "=?...?=" as an encoded piece of a header, and a line can end in it.
    message["Subject"] = subject.replace("=?", "= ?")
    message["Date"] = formatdate()
    # The same for every attempt: mailboxes know a double by it.
    message["Message-ID"] = f"<{mailing.id}.{address}>"
    message["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe>"
    message.set_content(f"Dear {name},\n\n{text}\n" if name else f"{text}\n")
    return message
