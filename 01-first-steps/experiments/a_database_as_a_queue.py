"""# Can a table in a database be a queue?

## Question

Forty prints are ordered, each a row in a table. Four consumers do the same again and again:
SELECT a row that is new, UPDATE it to "taken", print it. The database is a real one, with
transactions. How many prints come out?

## Predict

- [ ] Forty: a database does not give one row to two consumers.
- [x] Many more than forty: some orders are printed two, three or four times.
- [ ] Fewer than forty: two consumers that want one row block each other, and it is lost.

## Why

Between SELECT and UPDATE a moment passes, and in that moment the next consumer sees the row as
new. Each statement is safe; the two together are not. To show it every time we made the moment
long: 20 ms, as for a database far away. Without the pause it happens, too, to none of the forty
or to a few: your tests do not see it, your customers do.

## Fix

Look and take in one statement: `UPDATE ... RETURNING` in SQLite, `SELECT ... FOR UPDATE SKIP
LOCKED` in PostgreSQL and MySQL. Then a table is a correct queue. But the consumers must ask
again and again whether there is work. In a broker taking is one step from the start (`BRPOP` in
Redis), and a worker without work sleeps until some comes.
"""

import collections
import contextlib
import sqlite3

from celery import group

ORDERS = 40

TABLES = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT DEFAULT 'new');
CREATE TABLE prints (id INTEGER);
CREATE TABLE ready (id INTEGER);
"""

CONSUMER = """
import sqlite3, time

database = sqlite3.connect({!r}, isolation_level=None, timeout=30)

def look_then_take():
    rows = database.execute("SELECT id FROM orders WHERE state = 'new' LIMIT 1").fetchall()
    time.sleep(0.02)  # the moment, made long
    database.executemany("UPDATE orders SET state = 'taken' WHERE id = ?", rows)
    return rows

def take():
    time.sleep(0.02)
    return database.execute(
        "UPDATE orders SET state = 'taken' WHERE id = "
        "(SELECT id FROM orders WHERE state = 'new' LIMIT 1) RETURNING id"
    ).fetchall()

# All begin together: how long each Python takes to start must not matter.
database.execute("INSERT INTO ready VALUES (1)")
while len(database.execute("SELECT * FROM ready").fetchall()) < 4:
    time.sleep(0.01)
while rows := {}():
    database.executemany("INSERT INTO prints VALUES (?)", rows)
"""


def run(bench):
    rows = []
    for how, take in (("SELECT, then UPDATE", "look_then_take"), ("UPDATE RETURNING", "take")):
        path = str(bench.folder / f"{take}.sqlite")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(TABLES + "INSERT INTO orders DEFAULT VALUES;" * ORDERS)
            code = CONSUMER.format(path, take)
            consumers = [bench.start_python(code) for _ in range(4)]
            errors = sum(consumer.wait(timeout=60) != 0 for consumer in consumers)
            printed = [order for (order,) in database.execute("SELECT id FROM prints")]
        rows.append({"how": how, **count(printed), "errors": errors})

    workers = [bench.worker("tasks", wait=False) for _ in range(4)]
    for worker in workers:
        worker.wait_for(" ready.")
    from tasks import add

    group(add.s(order, 0) for order in range(ORDERS))().get(timeout=60)
    rows.append({"how": "four Celery workers", **count(run.id for run in bench.timeline().runs)})
    return rows


def count(printed):
    times = collections.Counter(printed)
    twice = sum(number > 1 for number in times.values())
    return {"prints": times.total(), "more than once": twice, "never": ORDERS - len(times)}


def claims(rows):
    naive, atomic, celery = rows
    once = {"prints": ORDERS, "more than once": 0, "never": 0}
    return {
        "SELECT, then UPDATE: orders are printed more than once": naive["more than once"] > 0,
        "none is lost, and nobody gets an error": naive["never"] == naive["errors"] == 0,
        "UPDATE RETURNING: each is printed once": atomic == {**atomic, **once, "errors": 0},
        "four Celery workers: each task runs once": celery == {**celery, **once},
    }
