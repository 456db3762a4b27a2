"""The pages of the mailroom, which are its API as well: ask for JSON, and you get it."""

import csv
import io
from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError, TimeoutError

from mailroom import subscribers
from mailroom.errors import sorry, wants_json
from mailroom.mailing import ID, Expired, Mailing, Unknown, new_id
from mailroom.status import status_of
from mailroom.subscribers import Subscribers, Unreadable
from mailroom.tasks import fan_out

FORMULA = ("=", "+", "-", "@", "\t")  # how a cell begins that a spreadsheet would run
NO_REDIS = (OperationalError, ConnectionError, TimeoutError)

bp = Blueprint("mailings", __name__)


@bp.before_request
def only_our_own_forms() -> None:
    """A page of another site cannot send mail from here: browsers say who asks."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin not in (None, request.host_url.rstrip("/")):
        abort(403)


@bp.before_request
def no_bombs() -> None:
    """Such a form is unpacked at once, to a hundred times its size. Our own page sends no such."""
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = current_app.config["MAX_URLENCODED_SIZE"]


@bp.get("/")
def form() -> str:
    # The form brings the id of its mailing along: to press the button twice starts one mailing.
    return render_template("form.html", id=new_id(), given={})


@bp.post("/mailings")
def start() -> Response:
    """Check, keep, queue one task, answer. The mails are made elsewhere."""
    id = request.form.get("id") or new_id()
    subject, text = (request.form.get(name, "").strip() for name in ("subject", "text"))
    try:
        people = who_shall_get_it()
        must_be_possible(id, subject, text, people)
    except Unreadable as error:
        return again(400, str(error))
    mailing = Mailing(id)
    try:
        new = mailing.create(subject, text, people)
        if not new and not mailing.is_the_same_as(subject, text, people):
            return again(409, "This form has started a mailing before. Send it again for another.")
        if not mailing.get("queued"):
            queue(mailing)
    except NO_REDIS:
        return again(503, "Nobody keeps or sends mailings at this moment. Try again in a moment.")
    answer = make_response(shown(mailing), 202)
    answer.headers["Location"] = url_for("mailings.show", id=id)
    return answer


@bp.get("/mailings/<id>")
def show(id: str) -> Response:
    return make_response(shown(find(id)))


@bp.post("/mailings/<id>/cancel")
def cancel(id: str) -> Response:
    find(id).cancel()
    return redirect(url_for("mailings.show", id=id), 303)


@bp.post("/mailings/<id>/resume")
def resume(id: str) -> Response:
    """Queue again what has no outcome. A mail that somebody has begun is not sent again."""
    queue(find(id))
    return redirect(url_for("mailings.show", id=id), 303)


@bp.get("/mailings/<id>/report.csv")
def report(id: str) -> Response:
    """Everybody, and what became of their mail."""
    headers = {"Content-Disposition": f'attachment; filename="mailing-{find(id).id}.csv"'}
    lines = stream_with_context(as_csv(find(id).report()))
    return Response(lines, mimetype="text/csv", headers=headers)


def find(id: str) -> Mailing:
    mailing = Mailing(id)
    try:
        mailing.must_exist()
    except Unknown:
        abort(404)
    except Expired:
        abort(410)
    return mailing


def queue(mailing: Mailing) -> None:
    """Send the one message of the request. With retry=False it does so at once, or fails."""
    task_id = new_id()
    mailing.set("task", task_id)
    fan_out.apply_async((mailing.id,), task_id=task_id, retry=False)
    mailing.set("queued", 1)  # until here, the same form may come again and be queued


def shown(mailing: Mailing) -> Response | str:
    """A mailing as a page, or as JSON."""
    status = status_of(mailing)
    if wants_json():
        return jsonify(status)
    return render_template("mailing.html", url=url_for("mailings.show", id=mailing.id), **status)


def again(code: int, why: str) -> Response:
    """The form once more, with what was typed unless it is huge, and what is wrong."""
    if wants_json():
        return sorry(code, why)
    # After a 503 nobody knows how far it got: the same id again, so that it is no second mailing.
    id = request.form["id"] if code == 503 and "id" in request.form else new_id()
    given = {name: value for name, value in request.form.items() if len(value) < 1_000_000}
    page = render_template("form.html", id=id, given=given, why=why)
    answer = make_response(page, code)
    if code == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def who_shall_get_it() -> Subscribers:
    """The subscribers of the form: those that were typed, and those of the file."""
    most = current_app.config["MAX_SUBSCRIBERS"]
    typed = subscribers.read(request.form.get("subscribers", ""), most)
    if file := request.files.get("file"):
        listed = subscribers.read(subscribers.decode(file.read()), most)
        typed.people = listed.people | typed.people
        typed.bad = listed.bad | typed.bad
    return typed


def must_be_possible(id: str, subject: str, text: str, people: Subscribers) -> None:
    """Raises `Unreadable` with what is missing or wrong."""
    if not ID.fullmatch(id):
        raise Unreadable("This form is damaged. Open it again.")
    if not subject or not text:
        raise Unreadable("A mail needs a subject and a text.")
    if len(subject) > 200 or subscribers.CONTROL.search(subject):
        raise Unreadable("A subject is one line, with at most 200 characters.")
    if len(text) > 20_000 or "\0" in text:
        raise Unreadable("A text has at most 20,000 characters, and none of them is NUL.")
    if not people.people:
        raise Unreadable("There is no e-mail address among the subscribers.")


def as_csv(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    """The rows as lines for a spreadsheet, which must not take them for formulas."""
    yield "address,outcome,reason\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow("'" + cell if cell.startswith(FORMULA) else cell for cell in row)
        yield line.getvalue()
