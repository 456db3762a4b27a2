"""The tasks: one that queues a mail for each subscriber, and one that sends a mail."""

from celery import Task, shared_task
from flask import current_app

from mailroom import post
from mailroom.mailing import Mailing
from mailroom.pace import wait_for_turn


# Nobody asks for what it returns. Its own state and its errors are kept for the page all the same.
@shared_task(bind=True, ignore_result=True, store_errors_even_if_ignored=True)
def fan_out(self: Task, mailing_id: str) -> None:
    """Queue a task for each subscriber who has no outcome yet. It may run twice: no harm."""
    mailing = Mailing(mailing_id)
    queued = 0
    for page in mailing.pages(current_app.config["PAGE"]):
        if mailing.cancelled:
            return
        for address in mailing.without_outcome(page):
            send_mail.delay(mailing_id, address)
        queued += len(page)
        # Once for each page of addresses: each of these is a write to Redis.
        self.update_state(state="QUEUEING", meta={"queued": queued, "of": mailing.total})


@shared_task(bind=True, max_retries=None)
def send_mail(self: Task, mailing_id: str, address: str) -> None:
    """Send one mail. At most one worker ever does it, however often the message comes."""
    mailing = Mailing(mailing_id)
    if not mailing.cancelled:
        wait_for_turn()
    if mailing.cancelled:
        mailing.begun_before(address)  # it may have been: by a worker that died
        return
    if not mailing.begin(address):
        mailing.begun_before(address)
        return
    try:
        post.deliver(mailing.mail_to(address))
    except post.TryLater as error:
        if self.request.retries == current_app.config["MAX_RETRIES"]:
            mailing.failed(address, str(error))
        else:
            mailing.put_off(address)
            wait = current_app.config["RETRY_AFTER"] * 2**self.request.retries
            raise self.retry(countdown=wait) from error
    except post.Refused as error:
        mailing.failed(address, str(error))
    except post.Unconfirmed as error:
        mailing.unconfirmed(address, str(error))
    else:
        mailing.sent(address)
