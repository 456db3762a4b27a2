"""The counter of the shop, asked over HTTP. Behind it: gunicorn with two processes."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import ORDER, SECONDS, InShop, new_id

from lab.bench import wait_until

# Seconds. A customer who waits longer has left. On an idle machine an answer takes a hundredth of
# a second with a broker, and one to three without.
PATIENCE = 20


def post(shop, content: object = None, **options) -> httpx.Response:
    kind = {"content": content} if isinstance(content, bytes) else {"json": content}
    headers = {"Content-Type": "application/json"} | options.pop("headers", {})
    return shop.web.post("/orders", **kind, headers=headers, **options)


def kept(shop) -> set[str]:
    """All that lies in the folder of the orders."""
    folder = shop.home / "orders"
    return {file.name for file in folder.iterdir()} if folder.exists() else set()


# 202


def test_202_means_that_the_order_is_on_the_disk(shop):
    order = InShop(shop).place()
    assert order.facts("accepted") == order.order
    order.wait_for("confirmed")
    assert (shop.home / "spool" / f"{order.id}.json").exists()
    assert shop.obedient.charged(order.id) == 1


def test_the_answer_says_where_to_look(shop):
    answer = post(shop, ORDER)
    order_id = answer.json()["order"]
    assert answer.headers["Location"] == f"/orders/{order_id}"
    assert shop.web.get(answer.headers["Location"]).json()["order"] == order_id


def test_who_asks_twice_with_one_key_has_ordered_once(shop):
    order = InShop(shop).place()
    first = order.id
    assert order.place().id == first
    order.wait_for("confirmed")
    answer = post(shop, order.order, headers={"Idempotency-Key": order.key})
    assert (answer.status_code, answer.json()) == (202, {"order": first, "state": "confirmed"})
    assert shop.obedient.charged(first) == 1


def test_twenty_who_ask_at_once_with_one_key_have_ordered_once(shop):
    order, before = InShop(shop), kept(shop)

    def ask(_):
        headers = {"Idempotency-Key": order.key}
        with httpx.Client(base_url=shop.web.base_url, timeout=SECONDS) as web:
            return web.post("/orders", json=order.order, headers=headers)

    with ThreadPoolExecutor(20) as many:
        answers = list(many.map(ask, range(20)))
    assert {answer.status_code for answer in answers} == {202}
    order.id = answers[0].json()["order"]
    assert {answer.json()["order"] for answer in answers} == {order.id}
    assert kept(shop) - before == {order.id}
    order.wait_for("confirmed")
    assert shop.obedient.charged(order.id) == 1, "A customer paid more than once."


def test_a_key_belongs_to_one_order(shop):
    order = InShop(shop).place()
    another = order.order | {"copies": 3}
    answer = post(shop, another, headers={"Idempotency-Key": order.key})
    assert answer.status_code == 409
    assert answer.json() == {"error": "This Idempotency-Key belongs to another order."}
    assert order.facts("accepted") == order.order


def test_without_a_key_each_request_is_an_order(shop):
    first, second = (post(shop, ORDER).json()["order"] for _ in range(2))
    assert first != second


def test_an_order_that_has_failed_says_why(shop):
    order = InShop(shop, card="tok_declined").place().wait_for("failed")
    answer = shop.web.get(f"/orders/{order.id}").json()
    assert answer == {"order": order.id, "state": "failed", "reason": "The card was declined."}


# What comes from outside


def with_(**fields: object) -> bytes:
    return json.dumps(ORDER | fields).encode()


HOSTILE = {
    "nothing": b"",
    "no JSON": b"photo=harbour.jpg&copies=2",
    "half of it": b'{"photo": "harbour.jpg", "cop',
    "bytes": bytes(range(256)),
    "thousands of brackets": b"[" * 9_000,
    "thousands of objects": b'{"photo":' * 1_000,
    "a number of 9,000 digits": b'{"copies": ' + b"9" * 9_000 + b"}",
    "null": b"null",
    "a list": b"[1, 2]",
    "a word": b'"harbour.jpg"',
    "an empty order": b"{}",
    "no card": json.dumps({"photo": "harbour.jpg", "copies": 2}).encode(),
    "a state of its own": with_(state="confirmed"),
    "a price of its own": with_(cents=1),
    "no copies": with_(copies=0),
    "copies that go back": with_(copies=-1),
    "101 copies": with_(copies=101),
    "a million copies": with_(copies=10**6),
    "half a copy": with_(copies=0.5),
    "two copies, but not quite": with_(copies=2.0),
    "true": with_(copies=True),
    "NaN": with_(copies=float("nan")),
    "for ever": with_(copies=float("inf")),
    "copies in words": with_(copies="2"),
    "copies in a list": with_(copies=[2]),
    "a photo without a name": with_(photo=""),
    "a photo that is a number": with_(photo=1),
    "a photo that is a list": with_(photo=["harbour.jpg"]),
    "a long name": with_(photo="x" * 101),
    "a line in the name": with_(photo="harbour\n.jpg"),
    "NUL in the name": with_(photo="harbour\0.jpg"),
    "half a character": b'{"photo": "harbour.jpg", "copies": 2, "card": "\\ud83d"}',
    "a card that is null": with_(card=None),
    "a card that is an object": with_(card={"$ne": ""}),
    "a long card": with_(card="x" * 101),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_order_is_refused_and_not_kept(shop, body):
    before, key = kept(shop), new_id()
    answer = post(shop, body, headers={"Idempotency-Key": key})
    assert answer.status_code == 400, answer.text
    assert '{"photo": "harbour.jpg", "copies": 2, "card": "tok_visa"}' in answer.json()["error"]
    assert kept(shop) == before


def test_another_type_than_json_is_refused(shop):
    headers = {"Content-Type": "text/plain"}
    assert post(shop, json.dumps(ORDER).encode(), headers=headers).status_code == 400
    assert shop.web.post("/orders", data=ORDER).status_code == 400


@pytest.mark.parametrize("size", [10_001, 5_000_000])
def test_what_is_too_large_is_refused(shop, size):
    before = kept(shop)
    try:
        answer = post(shop, with_(photo="x" * size))
    except httpx.WriteError:  # the server answered, and hung up before all of it was sent
        return
    finally:
        assert kept(shop) == before
    assert answer.status_code == 413 and answer.json()["error"]


def test_a_body_that_does_not_say_how_long_it_is_has_an_end(shop):
    before = kept(shop)
    parts = (b"[" * 1000 for _ in range(100))
    headers = {"Content-Type": "application/json"}
    try:
        answer = shop.web.post("/orders", content=parts, headers=headers)
    except httpx.WriteError:
        return
    finally:
        assert kept(shop) == before
    assert answer.status_code in (400, 413)


ADDRESSES = [
    *("x", "A" * 32, "a" * 31, "a" * 33, "a" * 32, "..%2f..%2fetc%2fpasswd", "%2e%2e"),
    *("a" * 32 + "%0a", "%00", "%ff", "%d9%a3" * 32, "a" * 2000, "{{7*191}}", "*"),
]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda each: each[:20])
def test_what_is_no_order_is_not_found(shop, address):
    answer = shop.web.get(f"/orders/{address}")
    assert answer.status_code == 404 and answer.json()["error"]
    assert "1337" not in answer.text and "root:" not in answer.text


@pytest.mark.parametrize("key", ["../../etc/passwd", "%00", "x" * 5000, "é", "'; DROP TABLE"])
def test_a_key_is_never_a_path(shop, key):
    order = InShop(shop, key=key, photo=secrets.token_hex(4))
    answer = post(shop, order.order, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 202
    assert len(answer.json()["order"]) == 32 and answer.json()["order"] in kept(shop)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_orders_are_placed_by_post(shop, method):
    answer = shop.web.request(method, "/orders")
    assert answer.status_code == 405 and answer.json()["error"]


# A broker that is away, and a disk that is full


@pytest.fixture(scope="module")
def counter(request):
    """A shop without workers, on a broker that can be taken away."""
    from serving import CHAPTER, open_shop

    from lab import Bench

    with Bench(CHAPTER) as bench:
        yield open_shop(bench, workers=0)


def warned(shop, order: InShop) -> None:
    said = f"Order {order.id} waits."
    wait_until(lambda: said in shop.api.log(), "the web server did not warn", log=shop.api.log)
    assert "No broker (" in shop.api.log()
    assert "Traceback" not in shop.api.log(), shop.api.log()


def test_an_order_is_taken_while_the_broker_is_down(counter):
    counter.web.timeout = PATIENCE
    counter.bench.broker.kill()
    try:
        order = InShop(counter).place()
    finally:
        counter.bench.broker.start()
    assert order.facts("accepted") == order.order
    warned(counter, order)
    assert counter.bench.xray().lengths.get("urgent", 0) == 0
    later = InShop(counter).place()
    assert later.id not in counter.api.log(), "The broker is back, and was not used."
    assert counter.bench.xray().lengths["urgent"] == 1


def test_an_order_is_taken_while_the_broker_says_nothing(counter):
    counter.web.timeout = PATIENCE
    with counter.bench.broker.asleep():
        order = InShop(counter).place()
    assert order.facts("accepted") == order.order
    warned(counter, order)


def test_an_order_is_taken_while_the_broker_is_full(counter):
    counter.bench.broker.client.config_set("maxmemory", 1)
    try:
        order = InShop(counter).place()
    finally:
        counter.bench.broker.client.config_set("maxmemory", 0)
    assert order.facts("accepted") == order.order
    warned(counter, order)


def test_an_order_that_the_disk_does_not_take_gets_no_202(here):
    from printshop.api import api

    here.folder.write_text("no folder")
    answer = api.test_client().post("/orders", json=ORDER)
    assert answer.status_code == 500
    assert here.sent() == [], "A message was sent for an order that nobody has kept."
