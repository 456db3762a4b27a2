"""# The task stands in the file. Why does the worker not know it?

## Question

`mails.py` makes its app with `Celery(__name__)` and has a task `send`. Its last line, for when
it is run as a script, is `send.delay(...).get()`. A worker runs: `celery -A mails worker`. Now
you type `python mails.py`. Script and worker read the very same file. What happens?

## Predict

- [ ] The mail is sent: both have the same function.
- [ ] The message waits in the queue for a worker that knows the task.
- [x] The worker throws the message away, and the script gets an error.

## Why

A message does not carry the function. It carries its name: the module, a dot, the function. A
file that is run as a script is the module `__main__`. So the script sends `__main__.send`. The
worker has imported the file and knows only `mails.send`. It does not keep what it does not know:
it writes an error in its log, discards the message and tells the caller.

## Fix

Give the app the module's name: with `Celery("mails")` the script, too, says `mails.send`. Or
never run a file that defines tasks. When you meet this error, compare two names:
`print(send.name)` where you send, and the list under `[tasks]` that the worker prints when it
starts. (A worker that started before you wrote the task says the same. Restart it.)
"""

import sys

MESSAGES = [
    "Received unregistered task of type '...'. "
    "The message has been ignored and discarded. "
    "Did you remember to import the module containing this task?",
    "celery.exceptions.NotRegistered: '...'",
]

# The broker and the result backend are taken from the environment.
MAILS = """from celery import Celery

app = Celery({})


@app.task
def send(address):
    return "sent to " + address


if __name__ == "__main__":
    print(send.name)
    print(send.delay("ada@example.com").get(timeout=60))
"""

SHELL = """
from mails import send
print(send.name)
print(send.delay("ada@example.com").get(timeout=60))
"""


def run(bench):
    folder = bench.copy({})
    rows = []
    for name in ("__name__", '"mails"'):
        (folder / "mails.py").write_text(MAILS.format(name))
        worker = bench.worker("mails", cwd=folder)
        for how, words in (("run", ["mails.py"]), ("imported", ["-c", SHELL])):
            sent, *said = bench.run([sys.executable, *words], cwd=folder).log().splitlines()
            rows.append({"who": f"{how}, Celery({name})", "sent": sent, "message": said[-1]})
            xray = bench.xray()
            rows[-1]["left in Redis"] = sum(xray.lengths.values()) + len(xray.unacked)
        _, _, error = worker.log().partition("ERROR/MainProcess] ")
        error = error.partition("\n\nPlease")[0] or "no error"
        rows.append({"who": "its worker's log", "message": error})
        worker.kill()
    return rows


def claims(rows):
    script, imported, log, named, _, quiet = rows
    return {
        "the script sends another name than the worker knows": script["sent"] == "__main__.send"
        and imported["sent"] == "mails.send",
        "the message is gone: no queue holds it": script["left in Redis"] == 0,
        "the script gets an error, the worker writes one": "NotRegistered" in script["message"]
        and "unregistered" in log["message"],
        "imported, the same file works": imported["message"] == "sent to ada@example.com",
        'with Celery("mails") the script works, too': named["sent"] == "mails.send"
        and named["message"] == "sent to ada@example.com"
        and quiet["message"] == "no error",
    }
