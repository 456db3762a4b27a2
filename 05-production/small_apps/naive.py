"""The shop of most tutorials. What it knows of an order is a message, and the lesson breaks it.

flask --app naive:api run --port 8000
celery -A naive worker --loglevel INFO
"""

import secrets
import time

import httpx
from celery import Celery
from flask import Flask, request

app = Celery("naive", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
api = Flask(__name__)


@app.task
def make_prints(photo: str, copies: int, card: str) -> None:
    """Charge the card, then print: ten seconds for each copy."""
    httpx.post(
        "http://127.0.0.1:8900/charges",
        json={"cents": copies * 45, "card": card},
        headers={"Idempotency-Key": secrets.token_hex(16)},
    ).raise_for_status()
    print(f"{photo} is charged, and is being printed ...")
    time.sleep(copies * 10)
    print(f"{photo} is printed.")


@api.post("/orders")
def place() -> tuple[dict, int]:
    result = make_prints.delay(**request.get_json())
    return {"order": result.id, "state": result.state}, 202


@api.get("/orders/<order_id>")
def show(order_id: str) -> dict:
    return {"order": order_id, "state": app.AsyncResult(order_id).state}
