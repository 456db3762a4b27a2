"""# The row is saved. Why does the worker not find it?

## Question

A view opens a transaction, saves an order and calls `print_order.delay(order.pk)`. The worker is
idle and looks at once. The commit comes a moment later. What does the worker find? And what
changes with `print_order.delay_on_commit(order.pk)`?

## Predict

- [ ] The order, both times: `save()` has written it.
- [x] No order with `.delay()`. With `delay_on_commit` the order, and the view gets no id.
- [ ] No order with `.delay()`. `delay_on_commit` waits for the commit and returns the result.

## Why

Inside a transaction a new row is visible to you alone. The message is outside at once, and a
worker needs a few milliseconds. (Here the view holds its transaction open until the worker has
answered. In your project chance does that, on the busiest day.)

`delay_on_commit` sends nothing. It asks Django to call `.delay()` after the commit, and after a
rollback Django calls nothing. At that moment there is no message yet, so there is no id: it
returns `None`, and `.get()` on that is an `AttributeError`.

## Fix

Send with `delay_on_commit` wherever a transaction may be open, and with `ATOMIC_REQUESTS` that
is everywhere. Outside of a transaction it sends at once. If you need the id, choose it yourself:
`apply_async_on_commit((order.pk,), task_id=...)`. A retry on `DoesNotExist` hides the race.
"""

import json
import sys

MESSAGES = ["DoesNotExist: ... matching query does not exist."]

# The album has no database. This copy has one: a file for SQLite.
SQLITE = '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "db"}}'
SHOP = {
    "album/settings.py": ("DATABASES = {}", f"DATABASES = {SQLITE}"),
    "album/tasks.py": (
        "from celery import shared_task\n",
        """from celery import shared_task
from album.models import Order


@shared_task
def print_order(pk):
    return f"printed for {Order.objects.get(pk=pk).customer}"


""",
    ),
}
MODELS = """from django.db import models
class Order(models.Model):
    customer = models.CharField(max_length=50)
"""

VIEW = """
import json
from celery.signals import after_task_publish
from django.db import connection, transaction
from album.models import Order
from album.tasks import print_order

sent = []  # the id of each message, when it has gone to the broker

@after_task_publish.connect
def keep(headers=None, **_):
    sent.append(headers["id"])

with connection.schema_editor() as editor:
    editor.create_model(Order)

def answer():
    found = print_order.AsyncResult(sent[-1]).get(timeout=60, propagate=False) if sent else ""
    return f"{type(found).__name__}: {found}" if isinstance(found, Exception) else found

for how in ("delay", "delay_on_commit", "delay_on_commit, rolled back"):
    sent.clear()
    with transaction.atomic():
        order = Order.objects.create(customer="Ada")
        returned = getattr(print_order, how.partition(",")[0])(order.pk)
        before, message = len(sent), answer()  # the transaction is still open
        transaction.set_rollback("rolled back" in how)
    row = {"how": how, "returned": str(returned and "a result")}
    row |= {"sent before": before, "sent after": len(sent), "message": message or answer()}
    print(json.dumps(row))
"""


def run(bench):
    shop, env = bench.copy(SHOP), {"ALBUM_DATA": str(bench.folder / "data")}
    (shop / "album" / "models.py").write_text(MODELS)
    bench.worker("album", cwd=shop, env=env)
    shell = [sys.executable, "manage.py", "shell", "-c", VIEW]
    said = bench.run(shell, cwd=shop, env=env).log()
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def claims(rows):
    delay, on_commit, rollback = rows
    return {
        ".delay() sends before the commit": delay["sent before"] == 1,
        "the worker does not find the order": "DoesNotExist" in delay["message"],
        "delay_on_commit sends after the commit": on_commit["sent before"] == 0
        and on_commit["sent after"] == 1,
        "and the worker finds the order": on_commit["message"] == "printed for Ada",
        "it returns None": on_commit["returned"] == "None",
        "after a rollback nothing is sent": rollback["sent after"] == 0,
    }
