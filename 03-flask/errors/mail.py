"""What goes wrong between a worker and a mail server. One worker runs all the bad tasks."""

import socket
import sys

from lab.bench import free_port
from lab.course.catalogue import provokes

LETTERS = """
import smtplib
from email.message import EmailMessage

from celery import Celery

app = Celery("letters", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
STUDIO = "studio@example.org"


@app.task
def connect(port):
    smtplib.SMTP("127.0.0.1", port, timeout=1)


@app.task
def send(port, to, text="Look!"):
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(STUDIO, to, text)


@app.task
def send_two(port):
    server = smtplib.SMTP("127.0.0.1", port)
    for to in ("ada@example.org", "bob@example.org"):
        server.sendmail(STUDIO, to, "Look!")
        server.quit()


@app.task
def encrypted(port):
    smtplib.SMTP("127.0.0.1", port).starttls()


@app.task
def encrypted_from_the_start(port):
    smtplib.SMTP_SSL("127.0.0.1", port)


@app.task
def log_in(port):
    smtplib.SMTP("127.0.0.1", port).login("studio", "secret")


@app.task
def compose(subject):
    EmailMessage()["Subject"] = subject
"""


def prepare(bench):
    folder = bench.use(bench.copy({}))
    (folder / "letters.py").write_text(LETTERS)
    bench.good, bench.bad = free_port(), free_port()
    serve = [sys.executable, "mailserver.py", "--port"]
    servers = [bench.process("mail", [*serve, bench.good])]
    servers.append(bench.process("mail", [*serve, bench.bad, "--drop", "1"]))
    bench.letters = bench.worker("letters", concurrency=2)
    for server in servers:
        server.wait_for("Taking mail")


def worker_says(bench, name, *args):
    """What the worker logs of a task that fails: its error, and the traceback."""
    import letters

    failed = f"[{getattr(letters, name).delay(*args).id}] raised unexpected: "
    bench.letters.wait_for(failed)
    return bench.letters.log()[bench.letters.log().index(failed) :]


@provokes("raised unexpected: ConnectionRefusedError(..., 'Connection refused')")
def no_mail_server(bench):
    """# A task fails with ConnectionRefusedError

    ## Why

    Nobody listens where the task connects to. For mail: no server runs there, the port is wrong, or
    the worker runs in a container, where `localhost` is the container. (When Redis is missing, it
    is another message: then no task runs in the first place.)

    ## Fix

    Start the mail server, `python mailserver.py`, or set `SMTP_HOST` and `SMTP_PORT` for the
    worker. Retry this error: the server may be back in a minute.
    """
    return worker_says(bench, "connect", 9)


@provokes("smtplib.SMTPServerDisconnected: Connection unexpectedly closed")
def a_connection_that_breaks(bench):
    """# The mail server closes the connection in the middle

    ## Why

    The server has ended, or has had enough of you: too many connections, too many mails, a pause
    that was too long. The error does not say whether a mail that was under way has been taken.

    ## Fix

    Before the text of the mail has gone out, retry. After that, a retry sends some mails twice: see
    `lab run 03/the_mail_sent_twice`. Send more slowly: `RATE`.
    """
    return worker_says(bench, "send", bench.bad, "ada@example.org")


@provokes("smtplib.SMTPServerDisconnected: please run connect() first")
def a_connection_that_was_closed(bench):
    """# The second mail says "please run connect() first"

    ## Why

    The connection has been closed: by `quit()`, or at the end of `with smtplib.SMTP(...)`. Often it
    was opened once, when the module was imported, and the first mail has closed it.

    ## Fix

    Open a connection in the task, and send within its `with`. A connection that was opened at
    import is shared by all pool processes: that goes wrong even before anybody closes it.
    """
    return worker_says(bench, "send_two", bench.good)


@provokes("smtplib.SMTPRecipientsRefused: {'...': (..., b'...')}")
def an_address_that_is_refused(bench):
    """# The mail server refuses the address

    ## Why

    The three digits say whether it is for good. 550 is: there is no such mailbox, or the server
    does not send on mail for strangers. 450 and 451 mean "later".

    ## Fix

    Do not retry a 5: write it down as failed, with the reason, and ask for another address. Retry a
    4, with growing pauses. `check` in `mailroom/post.py` tells them apart.
    """
    return worker_says(bench, "send", bench.good, "nobody@example.org")


@provokes("smtplib.SMTPNotSupportedError: STARTTLS extension not supported by server.")
def no_encryption(bench):
    """# STARTTLS is not supported by the server

    ## Why

    The server at this port does not offer encryption: it is the small one on your desk, or port 25
    of a server that encrypts at port 587.

    ## Fix

    At your desk, do not call `starttls()`: the mailroom does so only with `SMTP_USER`. For a real
    server, ask for its port. Without encryption never send a password.
    """
    return worker_says(bench, "encrypted", bench.good)


@provokes("smtplib.SMTPNotSupportedError: SMTP AUTH extension not supported by server.")
def no_login(bench):
    """# SMTP AUTH is not supported by the server

    ## Why

    Most servers offer the login only on an encrypted connection. And the small one on your desk has
    none.

    ## Fix

    `starttls()` before `login(...)`. At your desk, no login.
    """
    return worker_says(bench, "log_in", bench.good)


@provokes("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number")
def encryption_from_the_start(bench):
    """# `SMTP_SSL` at a port that begins unencrypted

    ## Why

    There are two ways. At port 465 the connection is encrypted from the start, `SMTP_SSL`. At port
    587 it begins in the clear, and `starttls()` encrypts it. The way does not fit the port.

    ## Fix

    Port 587: `smtplib.SMTP(...)` and `starttls()`, as the mailroom does. Port 465:
    `smtplib.SMTP_SSL(...)`.
    """
    return worker_says(bench, "encrypted_from_the_start", bench.good)


@provokes("smtplib.SMTPServerDisconnected: Connection unexpectedly closed: timed out")
def a_server_that_says_nothing(bench):
    """# The mail server says nothing: timed out

    ## Why

    Somebody takes the connection and says nothing. The server has too much to do, or this is the
    port of another program: one that waits for encryption, as port 465 does. Without a `timeout`
    the task would wait for ever, and its pool process with it.

    ## Fix

    Keep the timeout, and retry. If it never works: port 587 for `smtplib.SMTP`, and 465 for
    `smtplib.SMTP_SSL`.
    """
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        return worker_says(bench, "connect", silent.getsockname()[1])


@provokes("UnicodeEncodeError: 'ascii' codec can't encode character...: ordinal not in range(128)")
def letters_that_are_not_ascii(bench):
    """# An "ü" in a mail, and the 'ascii' codec cannot encode it

    ## Why

    `server.sendmail` takes a text only if it is plain ASCII. A mail with other letters needs
    headers that say so.

    ## Fix

    Make an `EmailMessage` with `set_content(text)` and call `server.send_message(message)`.
    """
    return worker_says(bench, "send", bench.good, "ada@example.org", "Grüße")


@provokes("ValueError: Header values may not contain linefeed or carriage return characters")
def a_subject_of_two_lines(bench):
    """# A subject with a line break

    ## Why

    A header ends at the end of its line. Who types a subject of two lines would write the next
    header: `Bcc:` to whom they like. Python refuses that.

    ## Fix

    Keep the protection: never write headers by hand. Refuse such a subject in the form, before
    anything is queued, as `mailroom/checks.py` does. The shortest test is `subject.isprintable()`.
    """
    return worker_says(bench, "compose", "Summer\nBcc: everybody@example.org")
