"""Given: the counter of the shop:  flask --app printshop.api:api run --port 8000

POST /orders answers 202 when the order is on the disk. It does not need the broker for that.
"""

import hashlib
import secrets

from flask import Flask, abort, jsonify, request, url_for

from printshop import orders
from printshop.tasks import proceed

api = Flask(__name__)
api.config["MAX_CONTENT_LENGTH"] = 10_000  # bytes
HELP = 'An order is JSON: {"photo": "harbour.jpg", "copies": 2, "card": "tok_visa"}'


@api.post("/orders")
def place() -> tuple[dict, int, dict]:
    """Take an order. A customer who asks twice with one Idempotency-Key has ordered once."""
    order = asked()
    if not valid(order):
        abort(400, HELP)
    key = request.headers.get("Idempotency-Key") or secrets.token_hex(16)
    order_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    if not orders.accept(order_id, order) and orders.facts(order_id, "accepted") != order:
        abort(409, "This Idempotency-Key belongs to another order.")
    proceed(order_id)
    place = url_for("show", order_id=order_id)
    return {"order": order_id, "state": orders.state(order_id)}, 202, {"Location": place}


@api.get("/orders/<order_id>")
def show(order_id: str) -> dict:
    """How an order stands."""
    try:
        state = orders.state(order_id)
    except KeyError:
        abort(404, "There is no such order.")
    why = orders.facts(order_id, "failed") or {}
    return {"order": order_id, "state": state, "reason": why.get("reason", "")}


def asked() -> object:
    """What the customer has sent, whatever it is. `None`: it is no JSON."""
    try:
        return request.get_json(silent=True)
    except RecursionError:  # thousands of brackets
        return None


def valid(order: object) -> bool:
    """Whether this is an order, and nothing else."""
    if not isinstance(order, dict) or set(order) != {"photo", "copies", "card"}:
        return False
    texts = [order["photo"], order["card"]]
    copies = order["copies"]
    few = isinstance(copies, int) and not isinstance(copies, bool) and 1 <= copies <= 100
    return few and all(isinstance(text, str) and printable(text) for text in texts)


def printable(text: str) -> bool:
    """Half a character, say, is none: it goes into no request to the provider."""
    return text.isprintable() and 0 < len(text) <= 100


@api.errorhandler(400)
@api.errorhandler(404)
@api.errorhandler(405)
@api.errorhandler(409)
@api.errorhandler(413)
def refused(error):
    return jsonify(error=error.description), error.code
