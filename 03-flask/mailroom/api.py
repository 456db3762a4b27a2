"""Given: what can be asked of a mailing. A browser gets a page, and a program gets JSON."""

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    stream_with_context,
    url_for,
)

from mailroom import checks, tasks
from mailroom.errors import wants_json
from mailroom.intake import find
from mailroom.record import Mailing
from mailroom.report import as_csv
from mailroom.status import status_of

bp = Blueprint("mailings", __name__, url_prefix="/mailings/<id>")
checks.before(bp)


@bp.get("")
def show(id: str) -> Response:
    return make_response(shown(find(id)))


@bp.post("/cancel")
def cancel(id: str) -> Response:
    find(id).cancel()
    return redirect(url_for("mailings.show", id=id), 303)


@bp.post("/resume")
def resume(id: str) -> Response:
    """Queue again what has no outcome. A mail that somebody has begun is not sent again."""
    tasks.queue_mailing(find(id))
    return redirect(url_for("mailings.show", id=id), 303)


@bp.get("/report.csv")
def report(id: str) -> Response:
    """Everybody, and what became of their mail."""
    headers = {"Content-Disposition": f'attachment; filename="mailing-{id}.csv"'}
    lines = stream_with_context(as_csv(find(id)))
    return Response(lines, mimetype="text/csv", headers=headers)


def shown(mailing: Mailing) -> Response | str:
    """A mailing as a page, or as JSON."""
    status = status_of(mailing)
    if wants_json():
        return jsonify(status)
    return render_template("mailing.html", url=url_for("mailings.show", id=mailing.id), **status)
