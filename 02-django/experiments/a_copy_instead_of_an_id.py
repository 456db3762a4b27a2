"""# The customer has a new address. Where does the mail go?

## Question

It is night, and no worker runs. Your site queues a mail to Ada and one to Bob. You wrote two
tasks for it: `mail` gets the customer as a dict, `mail_by_id` gets the customer's number and
looks it up. Then Ada corrects her address, and Bob deletes his account. In the morning the
worker starts. Which mails go wrong?

## Predict

- [ ] None: the worker runs each task with the customer as he is in the morning.
- [x] Both dicts: one to Ada's old address, one to Bob, who is no customer any more.
- [ ] Both numbers: when the worker looks them up, the customer has changed.

## Why

A message holds the arguments as JSON, written at the moment of `.delay()`. Nothing connects it
with the customer from then on. The worker reads the copy, a second or a weekend later. Look at
the column "in the message": there stands the old address, and it stands in Redis for everybody
who can read there.

With a number the message has nothing that could be old. The worker asks for the customer at the
moment it needs him. Then the task must be ready for the answer "there is none".

## Fix

Send ids and paths. Look things up in the task, and decide there what a missing one means. Send
a copy only where you want that moment: the price that the customer has agreed to.
"""

import json

MAILS = {
    "album/tasks.py": (
        "    ).send()\n",
        """    ).send()


import json


@shared_task
def mail(customer):
    return f"mail to {customer['email']}"


@shared_task
def mail_by_id(number):
    customers = json.loads((settings.DATA_DIR / "customers.json").read_text())
    if number not in customers:
        return "no customer, no mail"
    return f"mail to {customers[number]['email']}"
""",
    )
}

SITE = """
import json
from django.conf import settings
from album.tasks import mail, mail_by_id
customers = json.loads((settings.DATA_DIR / "customers.json").read_text())
sent = {}
for number, customer in customers.items():
    sent[customer["name"], "the customer"] = mail.delay(customer)
    sent[customer["name"], "the number"] = mail_by_id.delay(number)
print("queued", flush=True)
for (name, what), result in sent.items():
    row = {"customer": name, "sent": what, "in the morning": result.get(timeout=60)}
    print(json.dumps(row | {"id": result.id}))
"""


def run(bench):
    site, env = bench.copy(MAILS), {"ALBUM_DATA": str(bench.folder / "data")}
    customers = bench.folder / "data" / "customers.json"
    customers.parent.mkdir()
    ada = {"name": "Ada", "email": "ada@old.example"}
    customers.write_text(json.dumps({"1": ada, "2": {"name": "Bob", "email": "bob@example.org"}}))
    client = bench.start_python(SITE, cwd=site, env=env)
    client.wait_for("queued")
    messages = {message.id: message for message in bench.xray().queues["celery"]}
    customers.write_text(json.dumps({"1": ada | {"email": "ada@new.example"}}))
    bench.worker("album", cwd=site, env=env)
    client.wait()
    rows = [json.loads(line) for line in client.log().splitlines()[1:]]
    for row in rows:
        ((argument,), _, _) = messages[row.pop("id")].body
        row["in the message"] = argument if isinstance(argument, str) else argument["email"]
    return rows


def claims(rows):
    ada, ada_by_id, bob, bob_by_id = (row["in the morning"] for row in rows)
    return {
        "the copy goes to Ada's old address": ada == "mail to ada@old.example",
        "the copy goes to Bob, who has left": bob == "mail to bob@example.org",
        "the number finds Ada's new address": ada_by_id == "mail to ada@new.example",
        "the number finds no Bob, and no mail goes out": bob_by_id == "no customer, no mail",
        "the address stands in Redis where the customer was sent": [
            "@" in row["in the message"] for row in rows
        ]
        == [True, False, True, False],
    }
