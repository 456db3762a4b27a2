import json

import django
from celery.exceptions import TimeoutError
from django.test import Client

from lab.waiting import TooLate, tail

# The visitor, and the web server in the same process. No port is needed.
ORDER = """
import json, time
import django
import shop
django.setup()
from django.test import Client
begun = time.monotonic()
answer = Client().post("/order", {"photo": "harbour"})
body = json.loads(answer.content) if answer["Content-Type"] == "application/json" else None
print(json.dumps([answer.status_code, body, time.monotonic() - begun]))
"""


def visit(bench):
    """What the visitor gets: status, JSON, seconds."""
    said = bench.python(ORDER, timeout=4)
    try:
        return json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        assert "EncodeError" not in said and "not JSON serializable" not in said, (
            "Something that you send or answer is not text, a number, a list or a dict. "
            "A request cannot travel, the name of the photo can. An answer has the id of the task, "
            "not the result object."
        )
        raise AssertionError(f"The view did not answer:\n{tail(said)}") from None


def check(bench):
    try:
        status, body, seconds = visit(bench)
    except TooLate:
        raise AssertionError(
            "No worker runs, and the view does not answer. Does it wait for the result? "
            "The receipt is there at once, with nobody at work."
        ) from None
    assert seconds < 0.6, (
        f"The view needed {seconds:.1f} s, and the visitor waited. Who else could do the work?"
    )
    assert status == 202, (
        f"The view answers at once, with the status {status}. Nothing is made yet: say 202."
    )
    assert isinstance(body, dict) and isinstance(body.get("receipt"), str), (
        f"The answer is {body!r}. It should be a dict with the id of the task as its 'receipt'."
    )
    lengths = bench.xray().lengths
    assert lengths.get("celery") == 1, (
        f"One message should wait for a worker. Redis holds these: {lengths}."
    )
    bench.worker("shop")
    import shop  # from here on, this process is the web server

    django.setup()
    try:
        shop.app.AsyncResult(body["receipt"]).get(timeout=4)
    except TimeoutError:
        raise AssertionError(
            f"A worker runs, and there is no result for the receipt {body['receipt']!r}. "
            "Is it the id of the task?"
        ) from None
    answer = Client().get(f"/poster/{body['receipt']}")
    assert answer.content == b'{"poster": "poster of harbour"}', (
        f"The page asks for the poster with its receipt, and gets {answer.content.decode()}."
    )
