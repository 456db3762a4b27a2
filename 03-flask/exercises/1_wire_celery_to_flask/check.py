import json

from celery.exceptions import TimeoutError

from lab.bench import WORKER_READY, Died, tail

# The factory is called, and a task is asked where it would go: here, and in a thread, as a web
# server handles requests. Nothing is sent, nothing connects.
ASK = """
import json
from threading import Thread
from album import create_app
from tasks import send_album
create_app()
said = []
def ask():
    app = send_album.app
    with app.connection_for_write() as connection:
        url = connection.as_uri(include_password=True)
    said.append([app.main, url, app.conf.task_default_queue])
ask()
thread = Thread(target=ask)
thread.start()
thread.join()
print(json.dumps(said))
"""
NO_BROKER = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}


def check(bench):
    worker = bench.worker("make_celery", wait=False)
    said = bench.python(ASK, env=NO_BROKER)
    try:
        here, in_a_thread = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise AssertionError(f"create_app() does not work:\n{tail(said)}") from None
    right = ["album", "redis://localhost:6379/3", "mails"]
    assert here[0] == right[0], (
        f"create_app() has been called, and the task would go to {here[1]}. That is Celery's "
        "default: the factory has made no Celery app. Which function makes it?"
    )
    assert here == right, (
        f"The task would go to the queue {here[2]!r} at {here[1]}. Take all of Celery's settings "
        "from app.config['CELERY']."
    )
    assert in_a_thread == right, (
        f"In a thread, the task would go to {in_a_thread[1]}. A web server handles requests in "
        "threads, and each finds the default app only. Which method makes your app the default?"
    )
    from album import create_app

    assert create_app().extensions.get("celery"), (
        "app.extensions['celery'] is empty. It is where others find the Celery app: leave it there."
    )
    try:
        worker.wait_for(WORKER_READY)
    except Died:
        log = worker.log()
        assert "'Flask' object has no attribute 'user_options'" not in log, (
            "The worker took the Flask application for its own. `celery -A make_celery` looks for "
            "a thing called `app` first. Give the Flask application another name."
        )
        assert "Unable to load celery application" not in log, (
            "The worker finds no Celery app in make_celery.py. Where has create_app() put it?"
        )
        raise
    from tasks import send_album

    try:
        sent = send_album.delay("ada@example.org").get(timeout=30, propagate=False)
    except TimeoutError:
        raise AssertionError(
            f"The worker is ready, and no result comes back. It says:\n{tail(worker.log())}"
        ) from None
    assert "application context" not in str(sent), (
        "The worker ran the task, and `current_app` was nobody: it ran outside of an application "
        "context. What should Celery do each time it calls a task?"
    )
    assert sent == "from studio@example.org to ada@example.org", (
        f"The worker ran the task, and the result is {sent!r}. Look at what __call__ returns."
    )
