"""# How long does .delay() wait for a Redis that is down?

## Question

Redis is down. Three programs call `.delay()`: one with Redis as result backend, the same with
`ignore_result=True` for this call, and one whose app has no result backend. Which one is the
slowest to give up?

## Predict

- [ ] All the same: each says "Connection refused" at once.
- [x] The one with the result backend, by far. And it does not say "Connection refused" in the
  end.
- [ ] The one without a backend. It has nothing that could tell it to stop.

## Why

With Redis as result backend, `.delay()` first subscribes to the result it will want later, and
only then publishes the message. The subscription is tried again and again, for about 19 seconds
on Celery 5.7, and then ends in a `RuntimeError` that speaks of the result store. Publishing
itself gives up within a second, with the famous `OperationalError`.

## Fix

Ignore results that nobody reads: `@app.task(ignore_result=True)`. Where a user waits, ask for
the broker first, as `preflight.py` does, or shorten the patience of the backend:
`result_backend_transport_options = {"retry_policy": {"timeout": 1.0}}`.
"""

MESSAGES = [
    "RuntimeError: Retry limit exceeded while trying to reconnect to the Celery result store "
    "backend. The Celery application must be restarted.",
    "kombu.exceptions.OperationalError: Error ... connecting to .... Connection refused.",
]

SEND = """
# To import these takes time, and is not meant.
import celery.backends.redis
import kombu.transport.redis
import time
from tasks import add
start = time.monotonic()
try:
    add.apply_async((1, 1){})
except Exception as error:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    print(f"{{time.monotonic() - start:.1f}}|{{module}}{{kind.__name__}}: {{error}}", end="")
"""


def run(bench):
    no_backend = bench.copy({"tasks.py": (', backend="redis://localhost:6379/0"', "")})
    bench.broker.kill()
    cases = {
        "Redis as result backend": bench.start_python(SEND.format("")),
        "ignore_result=True": bench.start_python(SEND.format(", ignore_result=True")),
        "no result backend": bench.start_python(
            SEND.format(""), cwd=no_backend, env={"CELERY_RESULT_BACKEND": None}
        ),
    }
    rows = []
    for case, client in cases.items():
        client.wait(timeout=60)
        seconds, _, message = client.log().partition("|")
        rows.append({"case": case, "seconds": float(seconds), "message": message})
    return rows


def claims(rows):
    backend, ignored, none = rows
    return {
        "with the result backend it takes more than three times as long": backend["seconds"]
        > 3 * max(ignored["seconds"], none["seconds"]),
        "without a result to wait for it says Connection refused": "Connection refused"
        in ignored["message"]
        and "Connection refused" in none["message"],
        "with one it does not": "Connection refused" not in backend["message"],
    }
