"""# The connection to the mail server broke. Is it safe to send the mail again?

## Question

A task gives a mail to the mail server, and the connection breaks. For ten subscribers it breaks
before the mail was sent. For ten others it breaks after: the server has taken the mail, and its
answer gets lost. A worker that retries on every error sends to all of them, and then the mailroom
does. Who gets how many mails?

## Predict

- [x] The retry sends twice to those whose answer got lost. The mailroom sends once to everybody.
- [ ] One each: SMTP is made so that a mail without an answer does not count.
- [ ] The mailroom leaves out those whose connection broke, and the retry reaches everybody once.

## Why

A broken connection does not say what the server has done. Before the mail has gone out that does
not matter: the server has nothing, and a retry is right. After it, the answer `250` was on its
way, or never was. Both look the same from here. A retry bets that the server has nothing.

The mailroom asks at which step it broke. `begin` sets a marker before a mail is sent, and it
takes it back only when the server has *not* taken the mail, for certain: look at `post.py`, and at
`take_back` in `marker.py`. What is left is listed as *unconfirmed*, for a human to look at. Nobody
can promise more: to ask the mail server later is no part of SMTP.

## Fix

Retry what certainly did not happen. Set a marker before each step that cannot be undone. Give the
mail the same `Message-ID` each time: some mailboxes show a double only once.
"""

import json
import sys
import zlib
from collections import Counter

from lab.bench import free_port

# What everybody writes: whatever it was, try it again.
RETRY_ALWAYS = {
    "mailroom/post.py": (
        'raise Unconfirmed(f"no answer came back: {error}") from error',
        'raise TryLater(f"the connection broke: {error}") from error',
    )
}

SEND = """
import csv
import io
import json
import time
from make_celery import flask_app
site = flask_app.test_client()
form = {"subject": "Summer", "text": "Look!", "subscribers": SUBSCRIBERS}
url = site.post("/mailings", data=form).headers["Location"]
while not site.get(url).json["over"]:
    time.sleep(0.1)
report = csv.DictReader(io.StringIO(site.get(url + "/report.csv").text))
print(json.dumps({row["address"]: row["outcome"] for row in report}))
"""


def breaks_before(address):
    """The mail server tells its addresses apart by this number."""
    return zlib.crc32(address.encode()) % 10_000 < 5000


def run(bench):
    everybody = [f"subscriber{number}@example.org" for number in range(60)]
    groups = {
        "before": [each for each in everybody if breaks_before(each)][:10],
        "after": [each for each in everybody if not breaks_before(each)][:10],
    }
    code = SEND.replace("SUBSCRIBERS", repr("\n".join(groups["before"] + groups["after"])))
    rows, senders = [], {}
    for who, folder in (("retry always", bench.copy(RETRY_ALWAYS)), ("mailroom", bench.chapter)):
        port, ledger = free_port(), bench.folder / f"{who}.jsonl"
        argv = [sys.executable, "mailserver.py", "--port", port, "--ledger", ledger]
        mail = bench.process("mail", [*argv, "--drop", "0.5", "--swallow", "0.5"])
        env = {"MAILROOM_SMTP_PORT": str(port), "MAILROOM_RETRY_AFTER": "0.2"}
        env["MAILROOM_CELERY__task_default_queue"] = who
        bench.worker("make_celery", cwd=folder, env=env, wait=False)
        mail.wait_for("Taking")
        senders[who] = bench.start_python(code, cwd=folder, env=env), ledger
    for who, (sender, ledger) in senders.items():
        sender.wait(timeout=240)
        outcomes = json.loads(sender.log().splitlines()[-1])
        taken = Counter(json.loads(line)["to"] for line in ledger.read_text().splitlines())
        for when, addresses in groups.items():
            row = {"who sends": who, "it breaks": f"{when} the mail"}
            row["mails"] = " and ".join(sorted({str(taken[each]) for each in addresses}))
            rows.append(row | {"listed as": ", ".join({outcomes[each] for each in addresses})})
    return rows


def claims(rows):
    naive_before, naive_after, before, after = rows
    return {
        "broken before, each gets one mail": naive_before["mails"] == before["mails"] == "1",
        "broken after, the retry sends two to each": naive_after["mails"] == "2",
        "and nobody sees it: they are listed as sent": naive_after["listed as"] == "sent",
        "the mailroom sends one": after["mails"] == "1",
        "and lists it as unconfirmed": after["listed as"] == "unconfirmed",
    }
