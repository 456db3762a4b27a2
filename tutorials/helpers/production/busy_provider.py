"""A payment provider with a limit:  python busy_provider.py PORT LEDGER

It takes 20 requests in any second. To all others it says 429: too many requests.
"""

import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LIMIT = 20


class Provider(ThreadingHTTPServer):
    """Writes a line to the ledger for each request: when it came, its path, and the answer."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port, ledger):
        super().__init__(("127.0.0.1", port), Request)
        self.lock, self.taken, self.ledger = threading.Lock(), deque(), ledger

    def answer(self, path):
        """The status for a request that comes now."""
        with self.lock:
            now = time.monotonic()
            while self.taken and self.taken[0] <= now - 1:
                self.taken.popleft()
            status = 201 if len(self.taken) < LIMIT else 429
            if status == 201:
                self.taken.append(now)
            with self.ledger.open("a") as file:
                print(now, path, status, file=file)
            return status


class Request(BaseHTTPRequestHandler):
    """One request. Its path is the number of an order."""

    def do_POST(self):
        self.send_response_only(self.server.answer(self.path))
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    server = Provider(int(sys.argv[1]), Path(sys.argv[2]))
    print("Charging", flush=True)
    server.serve_forever()
