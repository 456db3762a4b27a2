"""# The task works in the view. Why not in the worker?

## Question

A task reads `current_app.config["SENDER"]`. You call it as a function in a view, as the tests of
most projects do. You call it in a shell. You send it to a worker, whose module makes the
application: `flask_app = create_app()`. All that with a plain Celery app first, and then with
the task class that the mailroom uses. What works?

## Predict

- [x] The plain task works in the view only. With the task class everything works.
- [ ] All of it. View, shell and worker have called `create_app()`.
- [ ] The plain task works in the view only. With the task class the worker works too, the shell
  does not.

## Why

`current_app` is not the application that you have made. It is the one whose *context* is open at
this moment. Flask opens one for each request, so the view hides the mistake, and so does
`task_always_eager`. In a worker there is no request, and nobody opens anything.

`FlaskTask` opens one around each call. It wraps `__call__`, which the worker uses and a direct
call uses. It is the class of every task because the Celery app has it: `task_cls=FlaskTask`. But
`task.run()` goes past it.

## Fix

`celery_init_app`, as in `mailroom/queue.py`. A context has no request: no `request`, no
`session`, and `url_for` needs `SERVER_NAME`. Give the task what it needs as arguments.
"""

MESSAGES = ["RuntimeError: Working outside of application context."]

PLAIN = {"mailroom/queue.py": ("task_cls=FlaskTask, ", "")}

TASK = """
from celery import shared_task
from flask import current_app

@shared_task
def sender():
    return current_app.config["SENDER"]
"""

CALL = """
from make_celery import flask_app
from sender import sender

def tell(call):
    try:
        return call()
    except RuntimeError as error:
        return f"RuntimeError: {str(error).splitlines()[0]}"

@flask_app.get("/view")
def view():
    return sender()

print(tell(lambda: flask_app.test_client().get("/view").text))
print(tell(sender))
print(tell(lambda: sender.apply_async(ignore_result=False).get(timeout=60)))
print(tell(sender.run))
"""

CALLS = ["sender() in a view", "sender() in a shell", "by the worker", "sender.run() in a shell"]


def run(bench):
    clients = []
    for queue, folder in (("plain", bench.copy(PLAIN)), ("flask", bench.copy({}))):
        (folder / "sender.py").write_text(TASK)
        env = {"MAILROOM_CELERY__task_default_queue": queue}
        bench.worker("make_celery", options=["-I", "sender"], cwd=folder, env=env, wait=False)
        clients.append(bench.start_python(CALL, cwd=folder, env=env))
    rows = []
    for client in clients:
        client.wait(timeout=60)
    for call, *said in zip(CALLS, *(client.log().splitlines() for client in clients), strict=True):
        errors = [each for each in said if "Error" in each]
        plain, flask = ("fails" if each in errors else each for each in said)
        row = {"the task is called": call, "plain Task": plain, "FlaskTask": flask}
        rows.append(row | {"message": errors[0] if errors else ""})
    return rows


def claims(rows):
    view, shell, worker, inside = rows
    works = "studio@example.org"
    return {
        "in the view the plain task works": view["plain Task"] == works,
        "in a shell it fails": shell["plain Task"] == "fails",
        "in the worker as well": worker["plain Task"] == "fails",
        "FlaskTask works in all three": [row["FlaskTask"] for row in rows[:3]] == [works] * 3,
        "but task.run() goes past it": inside["FlaskTask"] == "fails",
    }
