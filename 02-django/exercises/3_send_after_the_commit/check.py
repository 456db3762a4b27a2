import json
import os
import sqlite3

from lab.bench import WORKER_READY, tail, wait_until

# The visitor, and the web server in the same process.
TABLES = """
import json
import shop
from django.db import connection
from django.test import Client
with connection.schema_editor() as editor:
    editor.create_model(shop.Order)
"""
ORDER = """
answer = Client().post("/order", {"photo": "harbour", "card": "CARD"})
print(json.dumps([answer.status_code, json.loads(answer.content), any(inside)]))
"""
# Whether a message leaves while the transaction is still open.
WATCH = """
from celery.signals import before_task_publish
from django.db import connection
inside = []
before_task_publish.connect(lambda **_: inside.append(connection.in_atomic_block), weak=False)
"""
IMPORTS = "import json\nimport shop\nfrom django.test import Client\n"


def visit(bench, code):
    said = bench.python(code)
    try:
        return json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        assert "EncodeError" not in said and "not JSON serializable" not in said, (
            "An order cannot travel in a message. Its number can, and the task looks it up."
        )
        raise AssertionError(f"The view did not answer:\n{tail(said)}") from None


def check(bench):
    database = bench.folder / "shop.sqlite3"
    os.environ["SHOP_DATABASE"] = str(database)
    status, body, _ = visit(bench, TABLES + WATCH + ORDER.replace("CARD", "bad"))
    assert status == 402, f"The bank does not pay, and the view says {status}. Keep its 402."
    waiting = bench.xray().lengths.get("celery", 0)
    orders = sqlite3.connect(database).execute("SELECT count(*) FROM shop_order").fetchone()[0]
    assert orders == 0, "The bank did not pay, and the order is there. Keep the transaction."
    assert waiting == 0, (
        "The bank did not pay, and the order was taken back. But its message is in the queue: "
        "a worker will look for an order that is not there. When may the message leave?"
    )
    status, body, too_early = visit(bench, IMPORTS + WATCH + ORDER.replace("CARD", "good"))
    assert (status, list(body)) == (202, ["order"]), (
        f"The card is good, and the view answers {status}, {body}. It should be 202 and the order."
    )
    assert not too_early, (
        "The card is good, and the message was in the queue before the commit. A worker may be "
        "faster than you, and find no order."
    )
    waiting = bench.xray().lengths.get("celery", 0)
    assert waiting == 1, (
        f"The card is good and the order is committed. {waiting} messages are in the queue, and "
        "it should be 1."
    )
    bench.worker("shop", wait=False).wait_for(WORKER_READY)

    def printed():
        return sqlite3.connect(database).execute("SELECT printed FROM shop_order").fetchone()[0]

    def over():
        return any(run.ended is not None for run in bench.timeline().runs)

    wait_until(over, "the worker does not end what it has begun")
    errors = "; ".join(bench.timeline().errors.values()) or "no error"
    assert printed(), (
        f"A worker had the message, and the order is not printed. The worker says: {errors}."
    )
