"""# Two workers send mail. Who keeps to three mails a second?

## Question

Your mail server allows three mails a second. First `send_mail` says `rate_limit="3/s"`, as in many
tutorials. Then it asks for its turn as the mailroom does. Two workers send a mailing of 24, each
with one pool process. How many mails a second does the mail server get?

## Predict

- [ ] Three, both times: the limit belongs to the task, whoever runs it.
- [x] Six with `rate_limit`. Three when each worker asks for its turn.
- [ ] Six, both times: two workers cannot know of each other.

## Why

`rate_limit` is kept in the memory of each worker, and nobody adds it up. (In chapter 01 that was
an experiment of its own.) `wait_for_turn` asks in a place that all workers share: the package
`limits` writes into Redis when each mail went, and lets the next one go when fewer than three
went in the last second. So the first three leave at once, and a third worker changes nothing.

It has a price: a task that waits for its turn keeps its pool process, one that `rate_limit` holds
back does not. As soon as there are other tasks, the mails need workers of their own.

## Fix

Count where all workers look, as `mailroom/pace.py` does. `rate_limit` is enough for exactly one
worker, and only until somebody starts a second one to get it done faster.
"""

import json
import sys

from lab.bench import free_port

RATE_LIMIT = {
    "mailroom/tasks.py": (
        "@shared_task(bind=True, max_retries=None)\n",
        '@shared_task(bind=True, max_retries=None, rate_limit="3/s")\n',
    ),
    "mailroom/pace.py": ("    limiter = current_app", "    return\n    limiter = current_app"),
}

SEND = """
import time
from make_celery import flask_app
site = flask_app.test_client()
people = "\\n".join(f"subscriber{number}@example.org" for number in range(24))
form = {"subject": "Summer", "text": "Look!", "subscribers": people}
print(time.time())
url = site.post("/mailings", data=form).headers["Location"]
while not site.get(url).json["over"]:
    time.sleep(0.2)
"""


def run(bench):
    mailings = []
    for way, folder in (("rate_limit", bench.copy(RATE_LIMIT)), ("its turn", bench.chapter)):
        port, ledger = str(free_port()), bench.folder / f"{way}.jsonl"
        argv = [sys.executable, "mailserver.py", "--port", port, "--ledger", ledger]
        server = bench.process("mail", argv)
        env = {"MAILROOM_SMTP_PORT": port, "MAILROOM_RATE": "3/second"}
        env["MAILROOM_CELERY__task_default_queue"] = way  # two mailings side by side
        for _ in range(2):
            bench.worker("make_celery", cwd=folder, env=env, wait=False)
        mailings.append((way, folder, env, ledger, server))
    senders = []
    bench.all_ready()
    for _, folder, env, _, server in mailings:
        server.wait_for("Taking mail")
        senders.append(bench.start_python(SEND, cwd=folder, env=env))
    rows = []
    for (way, _, _, ledger, _), sender in zip(mailings, senders, strict=True):
        sender.wait(timeout=60)
        times = [json.loads(line)["at"] for line in ledger.read_text().splitlines()]
        # From the moment when the first could have come: who stands still never gets faster.
        speed = (len(times) - 1) / (max(times) - float(sender.log()))
        best = max(sum(0 <= other - first < 2 for other in times) for first in times)
        row = {"limited by": way, "mails": len(times), "per second": round(speed, 1)}
        rows.append(row | {"in the best two seconds": best})
    return rows


def claims(rows):
    limit, turn = rows
    return {
        "all mails go out": limit["mails"] == turn["mails"] == 24,
        "rate_limit lets through much more than three a second": limit["in the best two seconds"]
        > 1.4 * 2 * 3,
        "with a turn for each it is three, and the first three at once": turn["per second"]
        < 1.4 * 3,
    }
