"""# A task has failed. What does its status page say?

## Question

A page asks every second what has become of a task. Most tutorials answer as the first view below:
it treats `PENDING` and `FAILURE`, and else takes `task.info` for the progress. Flask's
documentation has the second: `ready()`, `successful()` and the result, as JSON. The third does it
as the mailroom does. Which of them survive?

## Predict

- [ ] All three: Celery stores results as JSON, so a view can show them as JSON.
- [ ] The second and the third. To a made-up id they answer 404.
- [x] The third. The others break, each at other tasks, and call a made-up id "waiting" for ever.

## Why

`task.info` and `task.result` are one thing: what the task returned, the `meta` of your own state,
or an *exception*, which has no `.get()` and is no JSON. It is an exception after `FAILURE`, during
`RETRY` and after `REVOKED`. Who tries a page out with a task that works sees none of that.

`PENDING` does not mean that a task waits. It means that Celery knows nothing of this id: it waits,
or its result has expired, or somebody made it up.

## Fix

Branch on every state, and show an exception as text. Keep a record of what you have sent, with
your own words for its state: then an unknown id is a 404, and a forgotten one a 410.
"""

import re
import sys

import httpx

from lab.bench import free_port, wait_until

MESSAGES = [
    "AttributeError: '...Error' object has no attribute 'get'",
    "TypeError: Object of type ... is not JSON serializable",
]

SITE = """
from celery import Celery
from flask import Flask, abort, jsonify

app = Flask("pages")
queue = Celery("pages", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
sent = set()  # the mailroom keeps it in Redis

@queue.task(bind=True)
def work(self, what):
    if what == "failed":
        raise ValueError("no such photo")
    if what == "is retried":
        raise self.retry(exc=ConnectionError("the printer is busy"), countdown=1000)
    return {"done": 10}

@app.post("/work/<what>")
def start(what):
    task = work.apply_async((what,), countdown=1000 if what == "was revoked" else 0)
    if what == "was revoked":
        task.revoke()
    sent.add(task.id)
    return task.id

@app.get("/tutorial/<id>")
def tutorial(id):
    task = work.AsyncResult(id)
    if task.state == "PENDING":
        return jsonify(state="waiting", done=0)
    if task.state == "FAILURE":
        return jsonify(state="failed", error=str(task.info))
    return jsonify(state=task.state, done=task.info.get("done", 0))

@app.get("/documentation/<id>")
def documentation(id):
    task = work.AsyncResult(id)
    ready = task.ready()
    successful = task.successful() if ready else None
    return jsonify(ready=ready, successful=successful, value=task.result if ready else None)

@app.get("/mailroom/<id>")
def mailroom(id):
    if id not in sent:
        abort(404)
    task = work.AsyncResult(id)
    words = {"reason": str(task.info)} if isinstance(task.info, Exception) else {}
    return jsonify(state="waiting" if task.state == "PENDING" else task.state, **words)
"""

PAGES = ["tutorial", "documentation", "mailroom"]
TASKS = ["has worked", "failed", "is retried", "was revoked", "was made up"]


def run(bench):
    (bench.folder / "pages.py").write_text(SITE)
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", "pages:app", "--bind", address, "--no-control-socket"]
    web = bench.process("web", argv, cwd=bench.folder)
    worker = bench.worker("pages:queue", cwd=bench.folder)
    web.wait_for("Booting worker")
    wait_until(worker.answers, "the worker does not answer", log=worker.log)  # it hears a revoke
    rows = []
    with httpx.Client(base_url=f"http://{address}", timeout=60) as site:
        ids = {task: site.post(f"/work/{task}").text for task in TASKS[:-1]}
        wait_until(lambda: len(bench.xray().results) == len(ids), "a task has no state")
        for task in TASKS:
            row, before = {"the task": task}, len(web.log())
            for page in PAGES:
                answer = site.get(f"/{page}/{ids.get(task, 'made-up')}")
                said = answer.json() if answer.is_success else {}
                row[page] = " ".join(map(str, [answer.status_code, *said.values()]))
            errors = re.findall(r"^\w+Error: .+", web.log()[before:], re.M)
            rows.append(row | {"message": "\n".join(errors)})
    return rows


def claims(rows):
    _, failed, retried, _, made_up = rows
    codes = {page: [row[page][:3] for row in rows] for page in PAGES}
    return {
        "the tutorial's breaks at a retry and at a revoked task": codes["tutorial"]
        == ["200", "200", "500", "500", "200"],
        "the documentation's at a failed and at a revoked one": codes["documentation"]
        == ["200", "500", "200", "500", "200"],
        "to both a made-up id is a task that will come": made_up["tutorial"] == "200 0 waiting"
        and made_up["documentation"] == "200 False None None",
        "the mailroom's shows them all, and 404": codes["mailroom"] == ["200"] * 4 + ["404"],
        "with the reasons": failed["mailroom"] == "200 no such photo FAILURE"
        and retried["mailroom"] == "200 the printer is busy RETRY",
    }
