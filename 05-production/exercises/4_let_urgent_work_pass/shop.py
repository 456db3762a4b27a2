"""The work of the shop. It is complete: nothing is to be done here."""

import time

from celery import Celery

app = Celery("shop")
app.config_from_object("settings")


@app.task
def print_urgent(copies):
    """Print an order for somebody who waits at the counter."""
    time.sleep(copies * 0.2)


@app.task
def print_order(copies):
    """Print an order. Most are short, and some have thousands of copies."""
    time.sleep(copies * 0.2)


@app.task
def make_statement():
    """Make a statement. It takes ten minutes."""
    time.sleep(600)
