import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.bench import wait_until


class Restarting(BaseHTTPRequestHandler):
    """Drops the first two connections, then answers."""

    requests = 0

    def do_GET(self):
        type(self).requests += 1
        if self.requests <= 2:
            self.connection.close()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"harbour")

    def log_message(self, *_):
        pass


WAITS = (
    "The task waits for its next try. If nothing is said about it, Celery waits 180 seconds. Which "
    "argument makes the first wait short, and each next one longer?"
)
TRIED_AGAIN = "A wrong address was tried again. It cannot get better: let it fail."


def outcome(bench, result, otherwise):
    """The result or the exception. With backoff, the waits are 1, 2 and 4 seconds at most."""

    def waits_long():
        """Whether the next try, a message that has been sent, is for a later time."""
        found = bench.xray()
        messages = [*found.unacked, *(each for queue in found.queues.values() for each in queue)]
        etas = [each.headers["eta"] for each in messages if each.id == result.id]
        now = datetime.now(UTC)
        return any(eta and datetime.fromisoformat(eta) > now + timedelta(seconds=6) for eta in etas)

    wait_until(lambda: result.ready() or waits_long(), "the task does not end")
    assert result.ready(), otherwise
    return result.result


def check(bench):
    Restarting.requests = 0
    bench.worker("download")
    from download import fetch

    with ThreadingHTTPServer(("127.0.0.1", 0), Restarting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = outcome(bench, fetch.delay(f"http://127.0.0.1:{server.server_port}/"), WAITS)
        server.shutdown()
    assert text == "harbour", (
        f"The server dropped the connection {min(Restarting.requests, 2)} times, and the result "
        f"is {text!r}. A third try would have worked."
    )
    wrong = fetch.delay("no address at all")
    error = outcome(bench, wrong, TRIED_AGAIN)
    assert isinstance(error, ValueError), f"A wrong address gives {error!r}, not a ValueError."
    runs = [run for run in bench.timeline().runs if run.id == wrong.id]
    assert len(runs) == 1, TRIED_AGAIN
