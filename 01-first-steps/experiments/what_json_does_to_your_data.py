"""# Does what you send arrive as you sent it?

## Question

A task returns its argument unchanged. You send it a tuple, a dict with the key 1, a date, a
`Decimal`, a `UUID`, and bytes. Which of them come back changed?

## Predict

- [ ] None: Celery restores the types.
- [ ] All but the dict: JSON knows only text, numbers, lists and dicts.
- [x] The tuple and the dict, silently. The others survive.

## Why

Messages and results are JSON. JSON has no tuples, so a tuple is written as a list, and the keys
of an object are always text. Kombu writes dates, decimals, UUIDs and bytes in a way of its own
and reads them back. Nobody warns you about the first two.

## Fix

Send what JSON has: lists, and dicts whose keys are text. Where a type matters, make it again in
the task, or declare it with a Pydantic model (`@app.task(pydantic=True)`).
"""

import datetime
import decimal
import uuid

ECHO = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def echo(value):
    return value
""",
    )
}

SENT = [
    (1, 2),
    {1: "a"},
    datetime.datetime(2026, 11, 5, 12, 30, tzinfo=datetime.UTC),
    datetime.date(2026, 11, 5),
    decimal.Decimal("9.90"),
    uuid.UUID(int=5),
    b"\xff\x00",
]


def run(bench):
    bench.use(bench.copy(ECHO))
    bench.worker("tasks")
    from tasks import echo

    results = [(value, echo.delay(value)) for value in SENT]
    rows = []
    for value, result in results:
        back = result.get(timeout=60)
        same = back == value and type(back) is type(value)
        rows.append({"sent": repr(value), "came back": repr(back), "the same": same})
    return rows


def claims(rows):
    back = {row["sent"]: row["came back"] for row in rows}
    return {
        "a tuple comes back as a list": back["(1, 2)"] == "[1, 2]",
        "the key 1 comes back as text": back["{1: 'a'}"] == "{'1': 'a'}",
        "dates, decimals, UUIDs and bytes survive": all(row["the same"] for row in rows[2:]),
    }
