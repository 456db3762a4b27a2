"""What goes wrong before the first task runs: installing, naming files, starting workers."""

import site
import sys
from pathlib import Path

from lab.bench import WORKER_READY, wait_until
from lab.course.catalogue import provokes

CELERY = [sys.executable, "-m", "celery"]


def prepare(bench):
    """Start two workers with one name. They get ready while other things are tried."""
    bench.use(bench.copy({}))
    for _ in range(2):
        bench.worker("tasks", options=["--hostname", "printer@%h"], wait=False)


def python_without(bench, package):
    """Send a task with everything that is installed here but one package."""
    folder = bench.folder / f"without-{package}"
    folder.mkdir()
    for installed in Path(site.getsitepackages()[0]).iterdir():
        if not installed.name.startswith(package):
            (folder / installed.name).symlink_to(installed)
    # -S: Python does not look where it is installed. The loader belongs to the bench.
    send = [sys.executable, "-S", "-c", "from tasks import add; add.delay(1, 1)"]
    return bench.run(send, env={"PYTHONPATH": str(folder), "CELERY_LOADER": None}).log()


@provokes("ModuleNotFoundError: No module named 'packaging'")
def packaging_is_missing(bench):
    """# Celery was installed with `pip install celery redis`

    ## Why

    To talk to Redis, Celery 5.7 needs the packages `redis` and `packaging`. Only the extra,
    `celery[redis]`, brings both.

    ## Fix

    `pip install "celery[redis]"`, and write `celery[redis]` into your `requirements.txt`.
    """
    return python_without(bench, "packaging")


@provokes("AttributeError: 'NoneType' object has no attribute 'Redis'")
def redis_is_missing(bench):
    """# Celery was installed without the Python package redis

    ## Why

    The broker URL begins with `redis://`, and the client for it is not installed in this
    environment. The server may run all the same: that is another program.

    ## Fix

    `pip install "celery[redis]"`, in the environment that runs your program and your worker.
    """
    return python_without(bench, "redis")


# What stands before and after the name depends on the version of Python.
@provokes("ImportError: cannot import name 'Celery' from ...'celery' (...")
def a_file_named_celery(bench):
    """# Your own file is named celery.py

    ## Why

    Python looks into the folder of your program first. There `from celery import Celery` finds
    your own `celery.py`, which is just being read, and not the package. Python 3.11 to 3.13
    call it "partially initialized module 'celery' (most likely due to a circular import)".

    ## Fix

    Rename the file, for example to `tasks.py`. Inside a package of yours the name is harmless:
    `proj/celery.py` is imported as `proj.celery`.
    """
    folder = bench.folder / "own"
    folder.mkdir()
    (folder / "celery.py").write_text("from celery import Celery\n\napp = Celery()\n")
    return bench.run([sys.executable, "celery.py"], cwd=folder).log()


@provokes("Error: Unable to load celery application. The module ... was not found.")
def no_such_module(bench):
    """# `celery -A` does not find your module

    ## Why

    `-A tasks` imports a module `tasks` from the folder where you type it. There is none: you are
    in another folder, or the name is wrong.

    ## Fix

    Go to the folder that holds `tasks.py`, or that holds the package for `-A package.module`.
    Write no `.py` and no slash.
    """
    return bench.run([*CELERY, "-A", "takss", "worker"]).log()


@provokes("Error: Unable to load celery application. Module '...' has no attribute 'celery'")
def no_app_in_the_module(bench):
    """# `celery -A` finds your module, and no app in it

    ## Why

    Celery looks in the module for a Celery app with the name `app` or `celery`, then for any
    other. There is none: the app stands in another file, or inside a function.

    ## Fix

    Name the module that makes the app, or the app itself: `-A studio.jobs:my_app`.
    """
    (bench.chapter / "hours.py").write_text("opening_hours = 9, 17\n")
    return bench.run([*CELERY, "-A", "hours", "worker"]).log()


@provokes(
    "consumer: Cannot connect to redis://...: Error ... connecting to .... Connection refused.. "
    "Trying again in ... seconds... (.../100)"
)
def the_worker_finds_no_redis(bench):
    """# The worker says that Redis refuses the connection

    ## Why

    No Redis listens at the address in this line: it is not started, or it has another port. In
    a container `localhost` is the container itself. The worker goes on trying.

    ## Fix

    Start Redis (`lab broker`). The worker connects by itself at its next try. If the address is
    wrong, correct `broker_url`.
    """
    nobody = "redis://localhost:9/0"
    worker = bench.worker("tasks", env={"CELERY_BROKER_URL": nobody}, wait=False)
    worker.wait_for("Trying again")
    worker.kill()
    return worker.log()


@provokes("Error: No nodes replied within time constraint")
def no_nodes_replied(bench):
    """# `celery inspect` and `celery status` find no worker

    ## Why

    They ask all workers of this app's broker and wait one second. Nobody answered: no worker
    runs, it runs on another broker, or it is too busy (`--pool solo` answers between tasks).

    ## Fix

    Compare the line `transport` in the worker's banner with your app's `broker_url`. Give it
    more time: `celery -A tasks inspect ping --timeout 5`.
    """
    elsewhere = bench.broker.url.removesuffix("/0") + "/1"  # the workers are on /0
    ping = [*CELERY, "-A", "tasks", "inspect", "ping"]
    return bench.run(ping, env={"CELERY_BROKER_URL": elsewhere}).log()


@provokes(
    "DuplicateNodenameWarning: Received multiple replies from node name: .... Please make sure "
    "you give each node a unique nodename using the celery worker `-n` option."
)
def two_workers_with_one_name(bench):
    """# Two workers have the same name

    ## Why

    A worker is named `celery@` and its host, unless you say otherwise. The second one on a host
    has the name of the first. They work, but `inspect` and `control` take them for one.

    ## Fix

    Name them: `celery -A tasks worker -n first@%h`, and `-n second@%h`.
    """
    for process in bench.processes:
        if process.name in ("worker1", "worker2"):
            process.wait_for(WORKER_READY)

    def said():
        log = bench.run([*CELERY, "-A", "tasks", "status", "--timeout", "5"]).log()
        return "DuplicateNodename" in log and log

    return wait_until(said, "not both have answered", timeout=150)
