"""The payment provider: one charge for each key, faults on demand, and a ledger."""

import json
import signal
import socket
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import SECONDS, Obedient

from lab.bench import free_port
from world.provider import FAULTS, Provider

CHARGE = {"cents": 90, "card": "tok_visa"}
PROGRAM = [sys.executable, "world/provider.py"]
web = httpx.Client(timeout=SECONDS)


@pytest.fixture
def obedient(tmp_path):
    with Obedient(tmp_path / "ledger.jsonl") as provider:
        yield provider


def ask(provider, key: str = "order-1", **body: object) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return web.post(f"{provider.url}/charges", json=CHARGE | body, headers=headers)


def ledger(provider) -> list[dict]:
    return provider.ledger_lines()


# One charge for each key


def test_a_charge_has_a_receipt_and_a_line_in_the_ledger(obedient):
    answer = ask(obedient)
    assert (answer.status_code, answer.json()) == (201, {"receipt": "R000001"})
    assert ledger(obedient) == [{"receipt": "R000001", "key": "order-1", **CHARGE}]


def test_the_same_key_is_the_same_charge(obedient):
    first, second = ask(obedient), ask(obedient)
    assert (second.status_code, second.json()) == (200, first.json())
    assert len(ledger(obedient)) == 1
    assert ask(obedient, "order-2").json() == {"receipt": "R000002"}
    assert len(ledger(obedient)) == 2


class SlowMemory(dict):
    """Between the question and the answer there is time for somebody else."""

    def get(self, key):
        found = super().get(key)
        time.sleep(0.01)
        return found


def test_twenty_requests_at_once_with_one_key_are_one_charge(obedient):
    start, obedient.charges = threading.Barrier(20), SlowMemory()

    def one(_):
        start.wait()
        return ask(obedient)

    with ThreadPoolExecutor(20) as many:
        answers = list(many.map(one, range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert {answer.json()["receipt"] for answer in answers} == {"R000001"}
    assert len(ledger(obedient)) == 1, "A customer paid more than once."


@pytest.mark.parametrize("body", [{"cents": 91}, {"card": "tok_other"}])
def test_a_key_belongs_to_one_charge(obedient, body):
    ask(obedient)
    answer = ask(obedient, **body)
    assert (answer.status_code, list(answer.json())) == (409, ["error"])
    assert len(ledger(obedient)) == 1


def test_a_card_can_be_declined(obedient):
    answer = ask(obedient, card="tok_declined")
    assert (answer.status_code, answer.json()) == (402, {"error": "The card was declined."})
    assert ledger(obedient) == []


def test_it_knows_its_charges_when_it_comes_back(obedient, tmp_path):
    receipt = ask(obedient).json()["receipt"]
    with Obedient(tmp_path / "ledger.jsonl") as again:
        answer = ask(again)
        assert (answer.status_code, answer.json()["receipt"]) == (200, receipt)
        assert ask(again, cents=91).status_code == 409
        assert ask(again, "order-2").json() == {"receipt": "R000002"}
    assert [line["key"] for line in ledger(obedient)] == ["order-1", "order-2"]


# Faults


def test_a_500_has_charged_nothing(obedient):
    obedient.script["tok_visa"] = ["500"]
    assert ask(obedient).status_code == 500
    assert ledger(obedient) == []
    assert ask(obedient).status_code == 201


def test_a_429_has_charged_nothing_and_says_when_to_come_again(obedient):
    obedient.script["tok_visa"] = ["429"]
    answer = ask(obedient)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert ledger(obedient) == []
    assert ask(obedient).status_code == 201


def test_a_dropped_request_has_charged_and_nobody_is_told(obedient):
    obedient.script["tok_visa"] = ["dropped"]
    with pytest.raises(httpx.RemoteProtocolError):
        ask(obedient)
    assert len(ledger(obedient)) == 1
    assert ask(obedient).status_code == 200, "It is asked again, and has charged already."
    assert len(ledger(obedient)) == 1


def test_a_slow_answer_comes_late(obedient):
    obedient.slow, obedient.script["tok_visa"] = 0.5, ["slow"]
    began = time.monotonic()
    assert ask(obedient).status_code == 201
    assert time.monotonic() - began >= 0.5


def faults(tmp_path, fail: float, seed: int, count: int = 2000) -> list[str]:
    server = Provider(0, tmp_path / "none.jsonl", fail, seed, 1.0)
    server.server_close()
    return [server.fault() for _ in range(count)]


def test_the_seed_chooses_the_faults(tmp_path):
    assert faults(tmp_path, 0.2, 1) == faults(tmp_path, 0.2, 1)
    assert faults(tmp_path, 0.2, 1) != faults(tmp_path, 0.2, 2)


def test_a_share_of_the_requests_meets_a_fault(tmp_path):
    found = faults(tmp_path, 0.2, 1)
    assert set(found) == {"", *FAULTS}
    assert 0.15 < 1 - found.count("") / len(found) < 0.25
    assert set(faults(tmp_path, 0, 1)) == {""}
    assert set(faults(tmp_path, 1, 1)) == set(FAULTS)


# What comes from outside


HOSTILE = {
    "nothing": b"",
    "no JSON": b"cents=90&card=tok_visa",
    "half of it": b'{"cents": 90, "card": "tok',
    "thousands of brackets": b"[" * 9_000,
    "a number of 9,000 digits": b'{"cents": ' + b"9" * 9_000 + b', "card": "tok_visa"}',
    "more than it reads": json.dumps(CHARGE | {"card": "x" * 20_000}).encode(),
    "bytes": bytes(range(256)),
    "a list": b"[90]",
    "null": b"null",
    "no card": b'{"cents": 90}',
    "more than a charge": json.dumps(CHARGE | {"receipt": "R1"}).encode(),
    "no cents": json.dumps(CHARGE | {"cents": 0}).encode(),
    "cents that go back": json.dumps(CHARGE | {"cents": -90}).encode(),
    "half a cent": json.dumps(CHARGE | {"cents": 0.5}).encode(),
    "true": json.dumps(CHARGE | {"cents": True}).encode(),
    "NaN": json.dumps(CHARGE | {"cents": float("nan")}).encode(),
    "a word": json.dumps(CHARGE | {"cents": "90"}).encode(),
    "a card that is a list": json.dumps(CHARGE | {"card": []}).encode(),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_charge_is_refused(obedient, body):
    headers = {"Idempotency-Key": "order-1"}
    answer = web.post(f"{obedient.url}/charges", content=body, headers=headers)
    assert answer.status_code == 400 and "POST /charges" in answer.json()["error"]
    assert ledger(obedient) == []
    assert ask(obedient).status_code == 201, "It goes on."


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000])
def test_a_length_that_is_none_is_refused(obedient, length):
    with socket.create_connection(obedient.server_address, timeout=SECONDS) as client:
        words = f"POST /charges HTTP/1.0\r\nIdempotency-Key: 1\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(words.encode())
        assert client.recv(100).startswith(b"HTTP/1.0 400 ")


def test_a_charge_needs_a_key_and_the_right_address(obedient):
    assert web.post(f"{obedient.url}/charges", json=CHARGE).status_code == 400
    headers = {"Idempotency-Key": "order-1"}
    assert web.post(f"{obedient.url}/", json=CHARGE, headers=headers).status_code == 400
    assert web.get(f"{obedient.url}/ledger.jsonl").status_code == 404
    assert ledger(obedient) == []


# The program


def test_the_program_charges_here_only_and_counts_at_its_end(bench, tmp_path):
    port, file = free_port(), tmp_path / "ledger.jsonl"
    argv = [*PROGRAM, "--port", str(port), "--ledger", file]
    program = bench.process("provider", argv, ready=f"Charging at http://127.0.0.1:{port}.")
    url = f"http://127.0.0.1:{port}/charges"
    for key in ("order-1", "order-1", "order-2"):
        assert web.post(url, json=CHARGE, headers={"Idempotency-Key": key}).is_success
    assert web.get(url).json() == {"charges": 2, "requests": 3}
    assert len(file.read_text().splitlines()) == 2
    program.send(signal.SIGINT)
    assert program.wait() == 0
    assert "Asked 3 times, charged 2 cards." in program.log()
    assert "Traceback" not in program.log()
    again = bench.process("provider", argv, ready="Charging")
    again.send(signal.SIGINT)
    assert again.wait() == 0
    assert "Asked 0 times, charged 0 cards." in again.log(), "what it charges today, it counts"


def test_a_shop_that_hangs_up_is_no_error_of_the_provider(bench, tmp_path):
    port = free_port()
    argv = [*PROGRAM, "--port", str(port), "--ledger", tmp_path / "ledger"]
    program = bench.process("provider", argv, ready="Charging")
    with socket.create_connection(("127.0.0.1", port)) as shop:
        shop.sendall(b"POST /charges HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        shop.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it dies
    url = f"http://127.0.0.1:{port}/charges"
    assert web.post(url, json=CHARGE, headers={"Idempotency-Key": "order-1"}).is_success
    program.send(signal.SIGINT)
    assert program.wait() == 0
    assert "Traceback" not in program.log()
