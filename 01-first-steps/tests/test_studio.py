"""The studio's tasks at three levels: the function, the task in this process, a real worker."""

import subprocess
import sys

import pytest
from celery import chord

from studio.celery import app
from studio.tasks import Order, add_postage, add_up, download, price

NAME = "testing@localhost"


def test_the_function_adds_postage():
    """A task can be called like the function it was. Most tests need no more than this."""
    assert add_postage(100) == 490


def test_the_task_makes_an_order_of_a_dict():
    """`.apply()` runs the task in this process, with what Celery does around the function."""
    assert price.apply([{"photo": "harbour.jpg", "copies": 3}]).get() == 150


def test_the_last_retry_gives_up():
    """Nobody listens on port 9. `retries` says which attempt this is."""
    result = download.apply(["http://127.0.0.1:9/"], retries=download.max_retries)
    assert result.state == "FAILURE"
    assert "Connection refused" in str(result.result)


@pytest.fixture(scope="module")
def worker():
    """A worker as in production: a process of its own."""
    command = [sys.executable, "-m", "celery", "-A", "studio", "worker", "-n", NAME]
    process = subprocess.Popen([*command, "--concurrency", "1"])
    while not app.control.ping([NAME], timeout=0.5):
        assert process.poll() is None, "the worker has ended: its last words are above"
    yield
    process.terminate()
    process.wait()


def test_a_real_worker_adds_up_the_prices(worker):
    orders = [Order(photo="harbour.jpg", copies=copies) for copies in (1, 2)]
    bill = chord([price.s(order) for order in orders], add_up.s()).delay()
    assert bill.get(timeout=30) == 150
