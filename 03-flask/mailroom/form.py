"""Given: the form, and the request that starts a mailing."""

from flask import Blueprint, Response, make_response, render_template, request, url_for
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError, TimeoutError

from mailroom import checks, intake, tasks
from mailroom.api import shown
from mailroom.errors import sorry, wants_json
from mailroom.record import Mailing
from mailroom.subscribers import Unreadable

NO_REDIS = (OperationalError, ConnectionError, TimeoutError)

bp = Blueprint("form", __name__)
checks.before(bp)


@bp.get("/")
def empty() -> str:
    # The form brings the id of its mailing along: to press the button twice starts one mailing.
    return render_template("form.html", id=intake.new_id(), given={})


@bp.post("/mailings")
def start() -> Response:
    """Check, keep, queue one task, answer. The mails are made elsewhere."""
    id = request.form.get("id") or intake.new_id()
    subject, text = (request.form.get(name, "").strip() for name in ("subject", "text"))
    try:
        people = checks.who_shall_get_it()
        checks.must_be_possible(id, subject, text, people)
    except Unreadable as error:
        return again(400, str(error))
    mailing = Mailing(id)
    try:
        new = intake.keep(mailing, subject, text, people)
        if not new and not intake.is_the_same(mailing, subject, text, people):
            return again(409, "This form has started a mailing before. Send it again for another.")
        if not mailing.get("queued"):
            tasks.queue_mailing(mailing)
    except NO_REDIS:
        return again(503, "Nobody keeps or sends mailings at this moment. Try again in a moment.")
    answer = make_response(shown(mailing), 202)
    answer.headers["Location"] = url_for("mailings.show", id=id)
    return answer


def again(code: int, why: str) -> Response:
    """The form once more, with what was typed unless it is huge, and what is wrong."""
    if wants_json():
        return sorry(code, why)
    # After a 503 nobody knows how far it got: the same id again, so that it is no second mailing.
    id = request.form["id"] if code == 503 and "id" in request.form else intake.new_id()
    given = {name: value for name, value in request.form.items() if len(value) < 1_000_000}
    page = render_template("form.html", id=id, given=given, why=why)
    answer = make_response(page, code)
    if code == 503:
        answer.headers["Retry-After"] = "5"
    return answer
