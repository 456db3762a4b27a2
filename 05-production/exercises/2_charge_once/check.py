import json
import os
import re
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.bench import WORKER_READY, TooLate, wait_until

ORDERS = dict.fromkeys(("ada", "bob", "cora", "dora", "eve"), "small") | {"fay": "poster"}
WAIT = 2  # seconds that the provider asks for
KEY = "What is the same in all of them?"


class Provider(ThreadingHTTPServer):
    """Charges once for each key. Bob, cora, dora and eve have a bad day there."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.lock = threading.Lock()
        self.asked = {}  # order -> the key of each request
        self.keys = {}  # key -> the order that it belongs to
        self.ledger = []  # the orders that were charged

    def answer(self, order, key):
        """Returns the status, and what is said. No status: it hangs up."""
        with self.lock:
            keys = self.asked.setdefault(order, [])
            keys.append(key)
            first = len(keys) == 1
            if not key:
                return 400, {"error": "Your request has no Idempotency-Key."}
            if self.keys.setdefault(key, order) != order:
                return 409, {"error": "This key belongs to another charge."}
            if order == "eve":
                return 402, {"error": "The card was declined."}
            if first and order == "cora":
                return 500, {"error": "Something is broken here."}
            if first and order == "dora":
                return 429, {"error": "Too many requests."}
            if (order, key) not in self.ledger:
                self.ledger.append((order, key))
            return (None if first and order == "bob" else 200), {"receipt": f"R-{order}"}


class Request(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, said = self.server.answer(body["order"], self.headers.get("Idempotency-Key"))
        if status is None:
            return  # the card is charged, and the shop will never hear of it
        said = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        if status == 429:
            self.send_header("Retry-After", str(WAIT))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words):
        pass


def check(bench):
    with Provider() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        os.environ["PROVIDER"] = f"http://127.0.0.1:{provider.server_port}/charges"
        try:
            charge_all(bench, provider)
        finally:
            provider.shutdown()


def charge_all(bench, provider):
    worker = bench.worker("till", concurrency=3, wait=False)
    from till import charge

    worker.wait_for(WORKER_READY)
    sent = {name: charge.delay(name, size) for name, size in ORDERS.items()}
    again = charge.delay("ada", ORDERS["ada"])

    def far_away():
        """The order whose next try is later than anybody has asked for."""
        for message in bench.xray().unacked:
            eta = message.headers["eta"]
            if eta and (datetime.fromisoformat(eta) - datetime.now(UTC)).total_seconds() > 2 * WAIT:
                return message.body[0][0]

    def over():
        return all(result.ready() for result in (*sent.values(), again))

    try:
        wait_until(lambda: over() or far_away(), "no")
    except TooLate:
        name = next(name for name, result in sent.items() if not result.ready())
        raise AssertionError(f"The task for {name} does not come to an end.") from None
    late = far_away()
    assert not late, (
        f"The next try for {late} is a long way off. retry() waits three minutes if you give no "
        "countdown. How long should it be?"
    )

    def end(name):
        """How the task of an order has ended, for a sentence."""
        result = sent[name]
        kind = type(result.result).__name__
        return f"{kind}: {result.result}" if result.failed() else repr(result.result)

    asked = {name: provider.asked.get(name, []) for name in ORDERS}
    charged = Counter(name for name, _ in provider.ledger)

    # One key
    assert all(key for requests in asked.values() for key in requests), (
        "A request came without an Idempotency-Key. By what should the provider know a charge?"
    )
    keys = {name: set(requests) for name, requests in asked.items()}
    both = set.intersection(keys["ada"], keys["bob"])
    assert not both, (
        f"ada and bob came with the same key {both}. The provider takes them for one charge."
    )
    assert charged["bob"] < 2, (
        f"bob was charged {charged['bob']} times. The provider charged him and hung up, and you "
        f"asked again with another key: {', '.join(sorted(keys['bob']))}. {KEY}"
    )
    assert charged["ada"] < 2, (
        f"ada was charged {charged['ada']} times. Her message came twice, and a message has an id "
        f"of its own. The keys were {', '.join(sorted(keys['ada']))}. {KEY}"
    )

    # What gets better
    assert charged["ada"] == 1, f"ada should be charged. Her task ended with {end('ada')}."
    assert len(asked["bob"]) > 1, (
        "The provider charged bob and hung up, and you did not ask again. Now the shop does not "
        f"know that he has paid. His task ended with {end('bob')}."
    )
    assert len(asked["cora"]) > 1, (
        "The provider answered 500 to cora, and you did not ask again. It was well a moment later. "
        f"Her task ended with {end('cora')}."
    )
    assert len(asked["dora"]) > 1, (
        f"The provider asked dora to come again in {WAIT} seconds, and you did not. Her task ended "
        f"with {end('dora')}. A header is text: does countdown want a number?"
    )
    line = re.search(rf"{sent['dora'].id}\] retry: Retry in ([\d.]+)s", worker.log())
    assert not line or float(line[1]) >= WAIT, (
        f"The provider asked dora to come again in {WAIT} seconds, and you wait {line[1]}. In "
        "which header does it say so?"
    )

    # What does not
    count = len(asked["eve"])
    assert count == 1, (
        f"eve's card was declined, and you asked {count} times. It was declined {count} times. "
        "Which answers can get better?"
    )
    kind = type(sent["eve"].result).__name__
    assert kind == "Declined", (
        f"eve's card was declined, and her task should end with Declined. It ended with "
        f"{end('eve')}."
    )
    tries = sum(run.id == sent["fay"].id for run in bench.timeline().runs)
    assert tries == 1, (
        f"fay ordered a poster, and the shop has no price for it. You tried {tries} times, and "
        f"the price did not come: {end('fay')}. Which exceptions can get better?"
    )
    assert sent["fay"].failed(), (
        f"The shop has no price for fay's poster. Her task should fail, and ended with "
        f"{end('fay')}."
    )
    for name in ("ada", "bob", "cora", "dora"):
        assert sent[name].result == f"R-{name}", (
            f"{name} is charged, and the task should return the receipt R-{name}. It ended with "
            f"{end(name)}."
        )
