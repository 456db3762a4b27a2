"""Celery's settings: each has a reason that can be seen, and arrives where it is needed."""

import ast
import json
import re

import pytest
from serving import CHAPTER

SETTINGS = CHAPTER / "printshop" / "settings.py"
WHERE = {"broker_url", "result_backend"}  # they say where Redis is, and need no reason
EXPERIMENTS = {file.stem for file in (CHAPTER / "experiments").glob("*.py")}


def names() -> list[str]:
    statements = ast.parse(SETTINGS.read_text()).body
    return [each.targets[0].id for each in statements if isinstance(each, ast.Assign)]


def reason(name: str) -> str:
    """The comment that stands over a setting."""
    above = SETTINGS.read_text().partition(f"\n{name}")[0]
    lines = []
    for line in reversed(above.splitlines()):
        if not line.strip().startswith("#"):
            break
        lines.insert(0, line.strip("# "))
    return " ".join(lines)


def experiments_of(name: str) -> list[str]:
    """The experiments that a setting names."""
    if name == "broker_transport_options":  # its options have a reason each
        text = SETTINGS.read_text().partition(name)[2].partition("\n}")[0]
        return re.findall(r"\((\w+)\)", text)
    if name == "task_time_limit":  # the two limits have a reason in common
        name = "task_soft_time_limit"
    return re.findall(r"\((\w+)\)", reason(name))


@pytest.mark.parametrize("name", [name for name in names() if name not in WHERE])
def test_a_setting_names_an_experiment_that_shows_why_it_is_there(name):
    shown_by = experiments_of(name)
    assert shown_by, f"Say over {name} why it is there, and which experiment shows it."
    assert set(shown_by) <= EXPERIMENTS, f"There is no such experiment: {shown_by}"


def test_an_option_of_the_transport_has_a_reason_as_well():
    assert len(experiments_of("broker_transport_options")) == 2


@pytest.fixture(scope="module")
def worker(shop):
    """What a worker of the shop says of itself: its settings, its tasks, its queues."""
    code = """
import json
from printshop import app
ask = app.control.inspect(timeout=60, limit=1)
facts = ("acks_late", "ignore_result", "retry_on_worker_lost", "max_retries", "time_limit")
found = ask.conf(), ask.registered(*facts), ask.active_queues(), ask.stats()
print(json.dumps([next(iter(each.values())) for each in found]))
"""
    said = shop.bench.python(code, env=shop.env, timeout=200)
    assert said.startswith("["), said
    return dict(zip(("conf", "tasks", "queues", "stats"), json.loads(said), strict=True))


@pytest.mark.parametrize("name", [name for name in names() if name not in WHERE])
def test_a_setting_arrives_in_the_worker(worker, name):
    found = {}
    exec(SETTINGS.read_text(), found)
    assert worker["conf"][name] == found[name]


def test_celery_knows_each_setting(here):
    """A name with a mistake in it is taken without a word, and does nothing."""
    from celery.app.defaults import NAMESPACES, flatten

    known = {name for name, _ in flatten(NAMESPACES)}
    assert set(names()) <= known, f"Celery has no such setting: {set(names()) - known}"


def test_the_transport_knows_each_option(here):
    from kombu.transport.redis import Channel

    options = here.tasks.app.conf.broker_transport_options
    asked_for_by_celery = {"max_retries"}
    assert set(options) - asked_for_by_celery <= set(Channel.from_transport_options)


@pytest.mark.parametrize("task", ["charge", "print_photos", "confirm"])
def test_a_step_is_acknowledged_late_and_has_a_number_of_tries(worker, task):
    [said] = [each for each in worker["tasks"] if each.startswith(f"printshop.tasks.{task} ")]
    tries = 10 if task == "charge" else 3
    assert "acks_late=True" in said and "ignore_result=True" in said
    assert f"max_retries={tries}" in said


def test_the_pool_has_the_limits(worker):
    assert worker["stats"]["pool"]["timeouts"] == [50, 60]


def test_nothing_holds_a_process_for_ever(worker):
    conf, options = worker["conf"], worker["conf"]["broker_transport_options"]
    soft, hard = conf["task_soft_time_limit"], conf["task_time_limit"]
    assert 0 < soft < hard < options["visibility_timeout"], "A healthy task would run twice."
    assert conf["worker_soft_shutdown_timeout"] > 0 and conf["worker_max_memory_per_child"] > 0
    assert options["socket_connect_timeout"] > 0 and options["socket_timeout"] > 0
    assert options["max_retries"] == 0


def test_the_worker_reads_all_queues_of_the_shop(worker):
    assert {queue["name"] for queue in worker["queues"]} == {"urgent", "normal", "bulk"}


def test_every_task_has_a_queue(worker):
    ours = {task.split()[0] for task in worker["tasks"]}
    assert ours == set(worker["conf"]["task_routes"]), (
        "A task without a route goes to the queue 'celery', which no worker of the shop reads."
    )


def workers_of(file) -> list[set[str]]:
    """The queues of each worker that a page or the Procfile starts."""
    lines = [line for line in file.read_text().splitlines() if "celery -A printshop worker" in line]
    return [
        set(queues[1].split(","))
        if (queues := re.search(r"(?:-Q|--queues)[ =](\S+)", line))
        else {"celery"}
        for line in lines
    ]


def test_every_queue_is_read_by_a_worker_of_the_procfile(here):
    routes = {route["queue"] for route in here.tasks.app.conf.task_routes.values()}
    read = set().union(*workers_of(CHAPTER / "Procfile"))
    assert routes == read, "Nobody reads a queue, or somebody reads one that nobody writes to."
