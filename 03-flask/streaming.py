"""A stream of server-sent events, and a page that answers at once."""

import time
from collections.abc import Iterator

from flask import Flask, Response

app = Flask(__name__)


@app.get("/stream")
def stream() -> Response:
    """An answer that ends after five minutes: an event every second."""

    def events() -> Iterator[str]:
        for sent in range(1, 301):
            yield f"data: {sent} of 300 sent\n\n"
            time.sleep(1)

    return Response(events(), mimetype="text/event-stream")


@app.get("/hello")
def hello() -> str:
    return "Hello.\n"
