"""Given: a payment provider, as somebody else would run it:  python world/provider.py --help

One charge for each idempotency key, and faults on demand.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click

FAULTS = ("slow", "500", "dropped", "429")
HELP = 'POST /charges, Idempotency-Key: YOUR-KEY, {"cents": 90, "card": "tok_visa"}'


class Provider(ThreadingHTTPServer):
    """Charges cards, on this machine only. `ledger` gets a line of JSON for each charge.

    The share `fail` of the requests meets a fault. The `seed` chooses which:

    - slow: the answer comes after `slow` seconds;
    - 500: an answer, and no charge;
    - dropped: a charge, and no answer;
    - 429: no charge, and "come again in a second".
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, ledger: Path, fail: float, seed: int, slow: float) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.ledger, self.fail, self.slow = ledger, fail, slow
        self.random, self.lock = random.Random(seed), threading.Lock()
        # It remembers what it has charged, also when it was away.
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        self.charges: dict[str, dict] = {}
        for charge in map(json.loads, lines):
            receipt, key = charge.pop("receipt"), charge.pop("key")
            self.charges[key] = {"body": charge, "receipt": receipt}
        self.seen: Counter[str] = Counter()

    def fault(self) -> str:
        """What goes wrong with this request. An empty word: nothing."""
        with self.lock:
            self.seen["requests"] += 1
            if self.random.random() >= self.fail:
                return ""
            fault = self.random.choice(FAULTS)
            self.seen[fault] += 1
            return fault

    def charge(self, key: str, body: dict) -> tuple[int, dict]:
        """Charge a card, once for each key. Returns the status and the answer."""
        with self.lock:
            known = self.charges.get(key)
            if known and known["body"] != body:
                return 409, {"error": "This key belongs to another charge."}
            if known:
                return 200, {"receipt": known["receipt"]}
            if body["card"] == "tok_declined":
                return 402, {"error": "The card was declined."}
            receipt = f"R{len(self.charges) + 1:06}"
            self.charges[key] = {"body": body, "receipt": receipt}
            with self.ledger.open("a") as file:
                file.write(json.dumps({"receipt": receipt, "key": key, **body}) + "\n")
            return 201, {"receipt": receipt}

    def handle_error(self, request: object, client_address: object) -> None:
        """A shop that is killed hangs up. That is no error of the provider."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Request(BaseHTTPRequestHandler):
    """One request of a shop."""

    server: Provider

    def do_GET(self) -> None:
        """What was asked and charged so far, and how often which fault."""
        if self.path != "/charges":
            return self.answer(404, {"error": HELP})
        self.answer(200, {"charges": len(self.server.charges), **self.server.seen})

    def do_POST(self) -> None:
        key = self.headers.get("Idempotency-Key", "")
        body = self.body()
        if self.path != "/charges" or not key or not good(body):
            return self.answer(400, {"error": HELP})
        fault = self.server.fault()
        if fault == "500":
            return self.answer(500, {"error": "Something is broken here."})
        if fault == "429":
            return self.answer(429, {"error": "Too many requests."}, {"Retry-After": "1"})
        if fault == "slow":
            time.sleep(self.server.slow)
        status, said = self.server.charge(key, body)
        if fault == "dropped":
            self.log_request("hung up")
            self.close_connection = True
            return  # the card is charged, and the shop will never hear of it
        self.answer(status, said)

    def body(self) -> object:
        try:
            length = max(0, min(int(self.headers.get("Content-Length", 0)), 10_000))
            return json.loads(self.rfile.read(length))
        except (ValueError, RecursionError):
            return None

    def answer(self, status: int, said: dict, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        headers = {"Content-Type": "application/json", **(headers or {})}
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def good(body: object) -> bool:
    """Whether this says what to charge, and nothing else."""
    if not isinstance(body, dict) or set(body) != {"cents", "card"}:
        return False
    return type(body["cents"]) is int and body["cents"] > 0 and isinstance(body["card"], str)


@click.command()
@click.option("--port", default=8900, show_default=True)
@click.option("--ledger", default="ledger.jsonl", show_default=True, type=Path)
@click.option("--fail", default=0.0, show_default=True, help="The share of requests that go wrong.")
@click.option("--slow", default=3.0, show_default=True, help="Seconds of a slow answer.")
@click.option("--seed", default=1, show_default=True, help="Other faults for another number.")
def main(port: int, ledger: Path, fail: float, slow: float, seed: int) -> None:
    """Charge cards at 127.0.0.1, and write each charge to a ledger."""
    server = Provider(port, ledger, fail, seed, slow)
    before = len(server.charges)
    try:
        click.echo(f"Charging at http://127.0.0.1:{port}. Ctrl-C stops it.")
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo(
            f"Asked {server.seen['requests']} times, charged {len(server.charges) - before} cards."
        )


if __name__ == "__main__":
    main()
