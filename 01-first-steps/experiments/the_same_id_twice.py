"""# Does the same task id run twice?

## Question

A customer presses the button twice. To be safe you send each payment with the number of its
order as its id: `pay.apply_async((10,), task_id="order-1")`. Both messages reach the worker. How
often does the customer pay, and what does the result say?

## Predict

- [ ] Once. An id is unique: the second message is thrown away.
- [x] Twice. The result says what the first said, if that was a success.
- [ ] Twice. The second result replaces the first.

## Why

Nobody looks the id up, neither when you send nor when a worker runs the task: an id says where
the result goes. There Celery does look. A SUCCESS is never replaced, so that a message which is
delivered a second time does not spoil it. Everything else is: a FAILURE may become a SUCCESS. In
the end one result stands there, and nothing in it says that there were two payments.

## Fix

An id is not a lock. Let the place where the work is done refuse the second time: a unique key in
the database, or the idempotency key that a payment service takes. Chapter 05 shows how.
"""

PAY = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def pay(euros):
    with open("account.txt", "a") as account:
        account.write(f"{euros}\\n")
    if euros > 50:
        raise ValueError(f"{euros} are too much")
    return euros
""",
    )
}


def run(bench):
    folder = bench.use(bench.copy(PAY))
    bench.worker("tasks")
    from tasks import add, pay

    rows = []
    for number, case in enumerate(((10, 20), (10, 70), (70, 20), (70, 80)), 1):
        id, before = f"order-{number}", len(payments(folder))
        for euros in case:
            pay.apply_async((euros,), task_id=id)
        # One worker takes its messages in order: when this one is done, so are those before it.
        add.delay(0, 0).get(timeout=60)
        kept = pay.AsyncResult(id)
        row = {"task_id": id, "sent": "pay({}), pay({})".format(*case)}
        row["in the account"] = " and ".join(payments(folder)[before:])
        rows.append({**row, "state": kept.state, "result": str(kept.result)})
    return rows


def payments(folder):
    account = folder / "account.txt"
    return account.read_text().split() if account.exists() else []


def claims(rows):
    accounts = [row["in the account"] for row in rows]
    kept = [f"{row['state']} {row['result']}" for row in rows]
    return {
        "both messages run, each time": accounts
        == ["10 and 20", "10 and 70", "70 and 20", "70 and 80"],
        "a SUCCESS stays, whatever comes after it": kept[:2] == ["SUCCESS 10"] * 2,
        "a FAILURE is replaced by a SUCCESS": kept[2] == "SUCCESS 20",
        "and by another FAILURE": kept[3] == "FAILURE 80 are too much",
    }
