"""Given: what is true of a mailing at this moment."""

from celery import states

from mailroom import report
from mailroom.record import Mailing
from mailroom.tasks import fan_out

SHOWN = 100  # failures on a page. The report has them all
END = {"done", "cancelled", "failed"}


def status_of(mailing: Mailing) -> dict[str, object]:
    """The state of a mailing in one word, and the numbers behind it. JSON can hold it."""
    counts = report.count(mailing)
    task = fan_out.AsyncResult(mailing.get("task"))
    queueing, info = task.state, task.info  # a dict of ours, an exception, or nothing
    reason = ""
    if counts.done == counts.total:
        state = "done"
    elif mailing.cancelled:
        state = "cancelled"
    elif queueing == states.REVOKED:
        state, reason = "cancelled", "somebody revoked its task"
    elif queueing == states.FAILURE:
        # JSON cannot hold an exception. Whoever waits for the mails wants its first line.
        state, reason = "failed", f"its mails could not be queued: {first_line(info)}"
    elif counts.retrying and counts.retrying == counts.total - counts.done:
        state = "retrying"
    elif queueing == states.PENDING and counts.begun == 0:
        state = "waiting"  # PENDING means that Celery knows nothing. We know that it was sent
    else:
        state = "running"
    return {
        "id": mailing.id,
        "subject": mailing.get("subject"),
        "state": state,
        "reason": reason,
        "total": counts.total,
        "queued": info.get("queued", 0) if isinstance(info, dict) else 0,
        "done": counts.done,
        "sent": counts.sent,
        "failed": counts.failed,
        "unconfirmed": counts.unconfirmed,
        "retrying": counts.retrying,
        "under_way": counts.under_way,
        "failures": report.first(mailing, "failed", SHOWN),
        "doubts": report.first(mailing, "unconfirmed", SHOWN),
        "over": state in END and counts.under_way == 0,
        "stands_still": state not in END and report.stands_still(mailing),
    }


def first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
