"""# You stop a mailing. Do you know which of its mails went out?

## Question

Three mailings, to twenty subscribers each, and two mails at a time are on their way. You stop the
first with the button of the mailroom. You revoke the task of the second with `terminate=True`. Of
the third you terminate the two tasks that send a mail at this moment. What becomes of the mails?

## Predict

- [ ] Each mailing stops at once, and its page knows of each mail whether it went out.
- [ ] The first goes on to its end. The other two stop, and their pages know of each mail.
- [x] Only the first stops. The third has two mails of which its page never knows.

## Why

The button sets a mark in Redis, and each task looks at it before it begins a mail. What has begun
goes on to its end: every mail has an outcome.

The task of the second mailing ended long ago. It has queued twenty others, and to revoke a task
does not revoke what it has sent.

`terminate` kills the pool process, whatever it does. Here it waits for the server's answer. Nobody
writes down what became of the mail, and the page says "running" for ever. Whether the server has
taken it, only the server knows. (The marker is still there: "Send again what is missing" sends
nothing twice, and lists the two as unconfirmed.) No other worker takes the message: a task that was
revoked is acknowledged, unlike one whose worker died.

## Fix

Cancel cooperatively: set a mark, and look at it before each step that cannot be undone. Terminate
only what hangs, and take its work for half done.
"""

import signal
import sys

import httpx
from celery import Celery

from lab.bench import free_port, wait_until

SUBSCRIBERS = "\n".join(f"subscriber{number}@example.org" for number in range(20))


def run(bench):
    port, redis = str(free_port()), bench.broker.client
    argv = [sys.executable, "mailserver.py", "--port", port, "--delay", "0.2"]
    server = bench.process("mail", argv)
    env = {"MAILROOM_SMTP_PORT": port, "MAILROOM_SMTP_TIMEOUT": "60"}
    worker = bench.worker("make_celery", concurrency=2, env=env)
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", "mailroom:create_app()", "--bind", address]
    bench.process("web", [*argv, "--no-control-socket"], ready="Booting worker")
    server.wait_for("Taking mail")
    site = httpx.Client(base_url=f"http://{address}", timeout=60)
    control, rows = Celery(set_as_current=False).control, []

    def press_the_button(url):
        site.post(f"{url}/cancel")

    def its_task(url):
        return redis.hget(f"mailroom:{url.rpartition('/')[2]}", "task")

    def terminate_its_task(url):
        control.revoke(its_task(url), terminate=True)

    def terminate_what_runs(url):
        control.revoke([*worker.active()], terminate=True)
        wait_until(lambda: worker.log().count("Terminating") == 2, "no end", log=worker.log)

    def known(url):
        """Whether the worker knows that two mails run, and that the mailing's task has ended."""
        active = worker.active()
        return len(active) == 2 and its_task(url) not in active

    def begun(url):
        return redis.scard(f"mailroom:{url.rpartition('/')[2]}:begun")

    def quiet():
        seen = bench.xray()
        return not (sum(seen.lengths.values()) or seen.unacked)

    for stop in (press_the_button, terminate_its_task, terminate_what_runs):
        server.send(signal.SIGSTOP)  # it thinks for long: two mails do not end meanwhile
        form = {"subject": "Summer", "text": "Look!", "subscribers": SUBSCRIBERS}
        url = site.post("/mailings", data=form).headers["Location"]
        wait_until(lambda url=url: begun(url) == 2, "no two mails begin", log=worker.log)
        wait_until(lambda url=url: known(url), "the worker does not know them", log=worker.log)
        stop(url)
        server.send(signal.SIGCONT)
        wait_until(quiet, "the worker did not come to an end", log=worker.log, timeout=60)
        page = site.get(url).json()
        row = {"you": stop.__name__.replace("_", " "), "its page": page["state"]}
        row |= {"mails begun": begun(url), "with an outcome": page["done"]}
        site.post(f"{url}/resume")

        def over(url=url):
            return site.get(url).json()["over"] and quiet()

        wait_until(over, "the worker did not come to an end", log=worker.log, timeout=60)
        page = site.get(url).json()
        rows.append(row | {"unconfirmed in the end": page["unconfirmed"]})
    site.close()
    return rows


def claims(rows):
    button, task, running = rows
    return {
        "the button stops the mailing": button["its page"] == "cancelled"
        and button["mails begun"] < 20,
        "of each mail that has begun it knows the outcome": button["mails begun"]
        == button["with an outcome"],
        "to terminate the mailing's task stops nothing": task["with an outcome"] == 20,
        "to terminate two mails loses track of two": running["with an outcome"]
        == running["mails begun"] - 2,
        "and the mailing is running for ever": running["its page"] == "running",
        "until it is sent again, and they are unconfirmed": running["unconfirmed in the end"] == 2,
    }
