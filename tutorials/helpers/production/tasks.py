"""Tasks for the notebook of chapter 05: short work and long work, and a provider that is busy.

A task in a cell of a notebook would exist in that notebook only. A worker imports a module.
"""

import http.client
import os
import random
import time
from pathlib import Path

from celery import Celery

app = Celery("tasks", broker="redis://localhost:6379/0")
app.conf.task_ignore_result = True


class Busy(Exception):
    """The provider says 429: too many requests."""


def wait_for(gate):
    """Return when this file is there. The notebook says when something ends or begins."""
    while not Path(gate).exists():
        time.sleep(0.02)


@app.task
def print_poster(gate):
    wait_for(gate)


@app.task
def print_photo(number):
    time.sleep(0.3)


@app.task
def statement(gate):
    wait_for(gate)
    time.sleep(0.25)


@app.task
def urgent():
    time.sleep(0.05)


def ask(order, attempt):
    """Ask the provider once to charge an order. `attempt` is the number of this try."""
    provider = http.client.HTTPConnection(os.environ["PROVIDER"], timeout=60)
    try:
        provider.request("POST", f"/{order}")
        if provider.getresponse().status == 429:
            raise Busy(f"try {attempt}")
    finally:
        provider.close()


@app.task(bind=True, autoretry_for=(Busy,), max_retries=3, retry_backoff=True, retry_jitter=False)
def charge(self, order):
    ask(order, self.request.retries + 1)


@app.task(bind=True, autoretry_for=(Busy,), max_retries=3, retry_backoff=True, retry_jitter=True)
def charge_with_jitter(self, order):
    ask(order, self.request.retries + 1)


@app.task(bind=True, max_retries=3)
def charge_spread(self, order):
    try:
        ask(order, self.request.retries + 1)
    except Busy as busy:
        # Fractions of a second, and never nothing. On average it is as long as without jitter.
        wait = 2**self.request.retries * random.uniform(0.5, 1.5)
        raise self.retry(exc=busy, countdown=wait) from busy
