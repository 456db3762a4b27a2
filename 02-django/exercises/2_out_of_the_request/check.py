import json

import django
from django.test import Client

from lab.bench import TooLate, tail, wait_until

# The visitor, and the web server in the same process. No port is needed.
ORDER = """
import json
import time
import django
sleep, slept = time.sleep, []
time.sleep = lambda seconds: slept.append(seconds) or sleep(seconds)
import shop
django.setup()
from django.test import Client
answer = Client().post("/order", {"photo": "harbour"})
body = json.loads(answer.content) if answer["Content-Type"] == "application/json" else None
print(json.dumps([answer.status_code, body, 1 in slept]))
"""


def visit(bench):
    """What the visitor gets: status, JSON, and whether the poster was made meanwhile."""
    client = bench.start_python(ORDER)
    wait_until(
        lambda: not client.running or any(bench.xray().lengths.values()),
        "the view neither answers nor sends a message",
    )
    client.wait(timeout=30)  # after the message there is nothing to wait for
    said = client.log()
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
        status, body, made_here = visit(bench)
    except TooLate:
        raise AssertionError(
            "No worker runs, and the view does not answer. Does it wait for the result? "
            "The receipt is there at once, with nobody at work."
        ) from None
    assert not made_here, (
        "The view made the poster itself, and the visitor waited. Who else could do the work?"
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
    [message] = bench.xray().queues["celery"]
    assert message.id == body["receipt"], (
        f"The message in the queue has the id {message.id!r}, and the receipt is "
        f"{body['receipt']!r}. It should be the id of the task."
    )
    bench.worker("shop")
    import shop  # from here on, this process is the web server

    django.setup()
    shop.app.AsyncResult(body["receipt"]).get(timeout=60)
    answer = Client().get(f"/poster/{body['receipt']}")
    assert answer.content == b'{"poster": "poster of harbour"}', (
        f"The page asks for the poster with its receipt, and gets {answer.content.decode()}."
    )
