import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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


def check(bench):
    Restarting.requests = 0
    bench.worker("download")
    from download import fetch

    with ThreadingHTTPServer(("127.0.0.1", 0), Restarting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = fetch.delay(f"http://127.0.0.1:{server.server_port}/")
        text = result.get(timeout=15, propagate=False)
        server.shutdown()
    assert text == "harbour", (
        f"The server dropped the connection {min(Restarting.requests, 2)} times, and the result "
        f"is {text!r}. A third try would have worked."
    )
    wrong = fetch.delay("no address at all")
    error = wrong.get(timeout=15, propagate=False)
    assert isinstance(error, ValueError), f"A wrong address gives {error!r}, not a ValueError."
    runs = [run for run in bench.timeline().runs if run.id == wrong.id]
    assert len(runs) == 1, "A wrong address was tried again. It cannot get better: let it fail."
