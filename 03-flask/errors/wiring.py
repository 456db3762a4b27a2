"""What goes wrong between Flask and Celery: contexts, arguments, states. No worker is needed."""

from lab.course.catalogue import provokes

# Tasks that somebody has added to the mailroom.
TASKS = """
from celery import shared_task
from flask import request, session, url_for
from make_celery import celery_app, flask_app


@shared_task
def remember():
    return request.remote_addr


@shared_task
def link():
    return url_for("form.empty", _external=True)


@shared_task
def send(message):
    pass


@shared_task(bind=True, ignore_result=False)
def by_hand(self):
    self.update_state(state="FAILURE", meta={"reason": "no such photo"})


"""


def run(bench, code):
    """Type a line of Python below these tasks."""
    return bench.python(TASKS + code)


@provokes("RuntimeError: Working outside of request context.")
def a_request_in_a_task(bench):
    """# A task that uses `request` or `session`

    ## Why

    The application context around a task has settings and extensions. It has no request: that
    was answered before the task began.

    ## Fix

    Read in the view what the task needs, and send it as arguments: an id, an address, a language.
    """
    return run(bench, "remember()")


@provokes(
    "RuntimeError: Unable to build URLs outside an active request without 'SERVER_NAME' "
    "configured. Also configure 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME' as needed."
)
def a_link_in_a_mail(bench):
    """# `url_for` in a task, for a link in a mail

    ## Why

    In a request Flask knows the host: the browser has named it. In a task nobody has.

    ## Fix

    Make the link in the view, with `url_for(..., _external=True)`, and send it as an argument. Or
    set `SERVER_NAME = "studio.example.org"` and `PREFERRED_URL_SCHEME = "https"`.
    """
    return run(bench, "link()")


@provokes("kombu.exceptions.EncodeError: Object of type ...Message is not JSON serializable")
def a_message_as_an_argument(bench):
    """# `.delay(message)` with an e-mail as the argument

    ## Why

    Arguments travel as JSON. An `EmailMessage`, or the `Message` of Flask-Mail, is a Python object
    and not JSON.

    ## Fix

    Send what the mail is made of: an id, or a dict with the address, the subject and the text. Make
    the message in the task.
    """
    return run(bench, "from email.message import EmailMessage; send.delay(EmailMessage())")


@provokes("ValueError: Exception information must include the exception type")
def a_failure_by_hand(bench):
    """# `update_state(state="FAILURE", meta=...)`

    ## Why

    `FAILURE` is a state of Celery's own. What is stored with it must be an exception. Whoever asks
    for the result of such a task gets this error, in the view and not in the task.

    ## Fix

    Raise an exception: then Celery stores it, and the state as well. For a state of your own choose
    another word, `"REFUSED"`, and mind that what the task returns replaces it in the end.
    """
    return run(bench, "id = by_hand.apply(task_id='7').id; by_hand.AsyncResult(id).state")
