"""The tasks: one that queues a mail for each subscriber, and one that sends a mail."""

from celery import Task, shared_task
from flask import current_app

from mailroom import letter, marker, outcomes, post
from mailroom.intake import new_id
from mailroom.pace import wait_for_turn
from mailroom.record import Mailing


def queue_mailing(mailing: Mailing) -> None:
    """Send the one message of a request. With retry=False it does so at once, or fails."""
    task_id = new_id()
    mailing.set("task", task_id)
    fan_out.apply_async((mailing.id,), task_id=task_id, retry=False)
    mailing.set("queued", 1)  # until here, the same form may come again and be queued


# Nobody asks for what it returns. Its own state and its errors are kept for the page all the same.
@shared_task(bind=True, ignore_result=True, store_errors_even_if_ignored=True)
def fan_out(self: Task, mailing_id: str) -> None:
    """Queue a task for each subscriber who has no outcome yet. It may run twice: no harm."""
    mailing = Mailing(mailing_id)
    queued = 0
    for page in mailing.pages(current_app.config["PAGE"]):
        if mailing.cancelled:
            return
        for address in outcomes.missing(mailing, page):
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
    # One that is cancelled may have been begun as well: by a worker that died.
    if mailing.cancelled or not marker.begin(mailing, address):
        marker.begun_before(mailing, address)
        return
    try:
        post.deliver(letter.write(mailing, address))
    except post.TryLater as error:
        if self.request.retries == current_app.config["MAX_RETRIES"]:
            outcomes.failed(mailing, address, str(error))
        else:
            marker.take_back(mailing, address)
            wait = current_app.config["RETRY_AFTER"] * 2**self.request.retries
            raise self.retry(countdown=wait) from error
    except post.Refused as error:
        outcomes.failed(mailing, address, str(error))
    except post.Unconfirmed as error:
        outcomes.unconfirmed(mailing, address, str(error))
    else:
        outcomes.sent(mailing, address)
