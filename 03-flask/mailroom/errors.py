"""Given: what the mailroom says when it cannot do what it was asked, as a page or as JSON."""

from flask import Flask, Response, jsonify, make_response, render_template, request
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError, TimeoutError
from werkzeug.exceptions import HTTPException

WORDS = {
    400: "This cannot be sent.",
    403: "This form was sent by another site.",
    404: "There is no such mailing.",
    405: "This address does not take that.",
    410: "This mailing is over.",
    413: "This is too much at once.",
    500: "Something broke here.",
    503: "The mailroom's memory does not answer.",
}
HELP = {
    403: "Open the mailroom itself, and send it from there.",
    404: "Look at the address once more: a letter may be missing.",
    410: "Its addresses and its report have been deleted, as promised.",
    413: "Send the subscribers in parts.",
    500: "It is not your fault. Somebody has to look at the log of the web server.",
    503: "Nothing is lost. Try again in some seconds.",
}


def wants_json() -> bool:
    """A browser says that it wants a page. Programs, and curl, get JSON."""
    kinds = ["application/json", "text/html"]
    return request.accept_mimetypes.best_match(kinds) != "text/html"


def sorry(code: int, why: str = "") -> Response:
    """The answer for something that cannot be done, with what to do next."""
    error, help = WORDS.get(code, "This does not work."), why or HELP.get(code, "")
    if wants_json():
        answer = jsonify(error=error, help=help)
    else:
        answer = make_response(render_template("sorry.html", error=error, help=help))
    answer.status_code = code
    if code == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def init_app(app: Flask) -> None:
    """Every error gets such an answer, and every page some rules for browsers."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return sorry(error.code or 500)

    @app.errorhandler(OperationalError)
    @app.errorhandler(ConnectionError)
    @app.errorhandler(TimeoutError)
    def no_redis(error: Exception) -> Response:
        return sorry(503)

    @app.after_request
    def rules(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer
