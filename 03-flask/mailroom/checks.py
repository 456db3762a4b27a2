"""Given: what a request must be like. Who asks, how much it is, and what stands in the form."""

from flask import Blueprint, abort, current_app, request

from mailroom import subscribers
from mailroom.intake import ID
from mailroom.subscribers import Subscribers, Unreadable


def before(bp: Blueprint) -> None:
    """Two looks at every request to these pages, before anybody reads it."""
    bp.before_request(only_our_own_forms)
    bp.before_request(no_bombs)


def only_our_own_forms() -> None:
    """A page of another site cannot send mail from here: browsers say who asks."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin not in (None, request.host_url.rstrip("/")):
        abort(403)


def no_bombs() -> None:
    """Such a form is unpacked at once, to a hundred times its size. Our own page sends no such."""
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = current_app.config["MAX_URLENCODED_SIZE"]


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
