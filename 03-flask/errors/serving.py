"""What goes wrong between the application and the program that serves it."""

import socket
import sys

import httpx

from lab.bench import free_port
from lab.course.catalogue import provokes

SLOW = """
import time
from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def slow():
    time.sleep(60)


@app.post("/")
def take():
    return request.form["subscribers"]
"""


def gunicorn(bench, app, *options, cwd=None):
    """Start gunicorn. Returns the process and its address."""
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", app, "--bind", address, "--no-control-socket"]
    return bench.process("gunicorn", [*argv, *options], cwd=cwd), f"http://{address}"


def flask(bench, *words):
    return bench.run([sys.executable, "-m", "flask", *words]).log()


@provokes("Failed to find attribute '...' in '...'.")
def no_such_attribute(bench):
    """# gunicorn or Flask does not find the application in the module

    ## Why

    `gunicorn mailroom` looks for a variable `application`, `gunicorn mailroom:app` for one that is
    called `app`. A package with a factory has neither: the application comes into being when
    somebody calls the factory.

    ## Fix

    Call it: `gunicorn "mailroom:create_app()"`. For `flask` the name of the package is enough, it
    looks for `create_app` by itself: `flask --app mailroom run`.
    """
    server, _ = gunicorn(bench, "mailroom:app")
    server.wait()
    return server.log()


@provokes("TypeError: create_app() takes 0 positional arguments but 2 were given")
def a_factory_that_nobody_calls(bench):
    """# gunicorn calls the factory as if it were the application

    ## Why

    `gunicorn mailroom:create_app` names a function. Gunicorn takes it for the application, and
    calls it for each request. So the server starts, and every page is an Internal Server Error.

    ## Fix

    Parentheses, and quotes because of the shell: `gunicorn "mailroom:create_app()"`.
    """
    server, url = gunicorn(bench, "mailroom:create_app")
    server.wait_for("Booting worker")
    httpx.get(url, timeout=30)
    server.wait_for("but 2 were given")
    return server.log()


@provokes("Error: Could not import '...'.")
def no_such_module(bench):
    """# Flask cannot import the application

    ## Why

    There is no module or package of that name where you are. `flask` and `celery` look in the
    folder in which you typed the command.

    ## Fix

    Go to the folder that *contains* the package `mailroom`, not into the package. Look at the
    spelling: `--app mailroom`, without `.py`.
    """
    return flask(bench, "--app", "mailrooom", "routes")


@provokes(
    "Error: Failed to find Flask application or factory in module '...'. "
    "Use '...:name' to specify one."
)
def no_application_in_the_module(bench):
    """# Flask finds no application or factory in the module

    ## Why

    `flask` looks for `app` and `application`, then for the only object of the class `Flask`, then
    for a function `create_app` or `make_app` that it can call without arguments. The module has
    none of these.

    ## Fix

    Name the module that has one, or the object in it: `flask --app make_celery:flask_app run`.
    """
    return flask(bench, "--app", "mailroom.queue", "routes")


@provokes(
    "Error: Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' "
    "environment variable, or a 'wsgi.py' or 'app.py' file in the current directory."
)
def no_application_named(bench):
    """# `flask run` without a word about the application

    ## Why

    Nobody has named the application, and the folder has no `app.py` or `wsgi.py`.

    ## Fix

    `flask --app mailroom run`. Or name it once for this terminal: `export FLASK_APP=mailroom`.
    """
    return flask(bench, "routes")


@provokes("Address already in use Port ... is in use by another program.")
def a_port_that_is_taken(bench):
    """# `flask run` says that the port is in use

    ## Why

    Another program listens there: the `flask run` of yesterday in another terminal, or, on macOS
    and port 5000, AirPlay.

    ## Fix

    End the other one with Ctrl-C, or choose another port: `flask --app mailroom run --port 8001`.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        return flask(bench, "--app", "mailroom", "run", "--port", port)


@provokes("[CRITICAL] WORKER TIMEOUT (pid:...)")
def a_request_that_is_too_slow(bench):
    """# gunicorn kills a worker: WORKER TIMEOUT

    ## Why

    A view has not answered for 30 seconds, the default of `--timeout`. Gunicorn kills the process,
    and the visitor gets no answer at all. (This worker is gunicorn's, not Celery's.)

    ## Fix

    Move the work to a task and answer 202. A longer `--timeout` only lets the other visitors wait
    longer. If it happens in `.delay()`, the broker or the result backend is down.
    """
    (bench.folder / "slow.py").write_text(SLOW)
    server, url = gunicorn(bench, "slow:app", "--timeout", "1", cwd=bench.folder)
    server.wait_for("Booting worker")
    try:
        httpx.get(url, timeout=30)
    except httpx.TransportError:
        pass  # the connection was closed without an answer
    server.wait_for("WORKER TIMEOUT")
    return server.log()


@provokes(
    "413 Request Entity Too Large",
    "The data value transmitted exceeds the capacity limit.",
)
def a_form_that_is_too_large(bench):
    """# 413 for a long text in a form

    ## Why

    Since version 3.1 Flask takes at most 500,000 bytes of fields in a form, whatever
    `MAX_CONTENT_LENGTH` says. Files do not count. A list of 20,000 subscribers in a text area does.

    ## Fix

    Raise `MAX_FORM_MEMORY_SIZE`, as `mailroom/config.py` does, and `MAX_CONTENT_LENGTH` above it.
    Or let people upload the list as a file.
    """
    (bench.folder / "slow.py").write_text(SLOW)
    server, url = gunicorn(bench, "slow:app", cwd=bench.folder)
    server.wait_for("Booting worker")
    return httpx.post(url, files={"subscribers": (None, "x" * 600_000)}, timeout=30).text
