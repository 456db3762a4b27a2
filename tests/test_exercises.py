"""Every exercise: its starter fails, its solution passes, and they differ at the TODO only."""

import difflib
import os
import shutil
import subprocess
import sys
import time

import pytest

from lab import exercises
from lab.waiting import wait_until

LAB = [sys.executable, "-m", "lab.cli"]
EVERY = exercises.all_exercises()
each = pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.name)


@pytest.fixture
def copy(tmp_path):
    """Put the files of a folder where a check can be run on them."""

    def copy(files):
        folder = tmp_path / "copy"
        folder.mkdir()
        for file in files:
            shutil.copy(file, folder)
        return folder

    return copy


@each
def test_the_starter_fails_with_a_sentence(exercise, copy):
    wrong = exercise.check(copy(exercise.starter))
    assert wrong, f"{exercise.name}: the starter passes: there is nothing to do"
    assert "Your code raised" not in wrong, f"the starter crashes: {wrong}"
    assert wrong.endswith(("?", ".", "'")), f"a beginner shall understand this: {wrong}"


@each
def test_the_solution_passes(exercise, copy):
    assert exercise.check(copy(exercise.solution.glob("*.py"))) is None


@each
def test_starter_and_solution_differ_only_where_the_todo_is(exercise):
    names = [file.name for file in exercise.starter]
    assert names == sorted(file.name for file in exercise.solution.glob("*.py"))
    for file in exercise.starter:
        before = file.read_text().splitlines()
        after = (exercise.solution / file.name).read_text().splitlines()
        assert not any("TODO" in line for line in after), f"the solution of {file} has a TODO"
        changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        todos = [number for number, line in enumerate(before) if "TODO" in line]
        for kind, first, last, *_ in changes:
            near = any(first - 6 <= todo <= last + 2 for todo in todos)
            assert kind == "equal" or near, f"{file.name} differs far from a TODO: {before[first]}"


@each
def test_an_exercise_has_all_its_parts(exercise):
    parts = {path.name for path in exercise.folder.iterdir() if path.name != "__pycache__"}
    starter = {file.name for file in exercise.starter}
    assert starter, f"{exercise.name} has no starter"
    assert parts == {"README.md", "hints.md", "check.py"} | starter, "a stray file, or one missing"
    assert len(exercise.hints) >= 3
    assert exercise.hints[0].endswith("?"), "the first hint is a question"
    readme = (exercise.folder / "README.md").read_text()
    assert "minutes." in readme, "the README says how many minutes it takes"


# What beginners write: the solution with one mistake, and what they are told.
SENDS_AND_PAYS = (
    """            print_order.delay_on_commit(order.id)
            pay(request.POST["card"])
""",
    """            pay(request.POST["card"])
            print_order.delay(order.id)
""",
)
OPENS_A_CONTEXT = """            with app.app_context():
                return self.run(*args, **kwargs)
"""
MARKER_FIRST = """    if not memory.sadd(f"begun:{album}", address):
        return
"""
MARKER_LATE = """    if memory.sismember(f"sent:{album}", address):
        return
"""
MARKER_IN_TWO_STEPS = """    if memory.sismember(f"begun:{album}", address):
        return
    memory.sadd(f"begun:{album}", address)
"""
FREES_IN_FINALLY = """    try:
        return tank.develop(roll)
    finally:
        with suppress(LockNotOwnedError):  # it took too long, and the lock is another's now
            lock.release()
"""
WRITES_IN_ONE_STEP = 'if supplier.memory.set(f"ordered:{due}", paper, nx=True, ex=24 * 3600):'
LOOKS_THEN_WRITES = """if not supplier.memory.exists(f"ordered:{due}"):
        supplier.order(paper)
        supplier.memory.set(f"ordered:{due}", paper)
    if False:"""
MISTAKES = [
    ("01/1", "@app.task", '@app.task(name="caption")', "It should list captions.caption"),
    ("01/1", "(photo):", "(photo:", "captions.py cannot be read: '(' was never closed (line 9)."),
    ("01/3", ", retry_backoff=True", "", "Celery waits 180 seconds"),
    ("01/3", "(ConnectionError,)", "(Exception,)", "A wrong address was tried again"),
    ("01/4", "(total.s())", "", "a chord that has not been sent"),
    ("01/4", "count.s(text)", "count.delay(text)", "You put a receipt where a signature belongs"),
    ("01/4", "return chord", "chord", "It should return the receipt of `total`"),
    ("01/5", '"studio.newsletter": {"queue": "mail"}', '"mail"', "should be a dict"),
    ("01/5", '"studio.newsletter"', '"newsletter"', "full name of the task is studio.newsletter"),
    ("02/1", ', namespace="CELERY"', "", "does it know the namespace?"),
    ("02/1", ', include=["tasks"]', "", "Which argument of Celery(...) makes it import"),
    ("02/2", "result.id}", "result.get()}", "Does it wait for the result?"),
    ("02/2", "delay(photo)", "delay(request)", "A request cannot travel"),
    ("02/3", "delay_on_commit(order.id)", "delay_on_commit(order)", "An order cannot travel"),
    ("02/3", SENDS_AND_PAYS[0], SENDS_AND_PAYS[1], "in the queue before the commit"),
    ("02/4", '("ready", "failed")', '("ready",)', "The photo moor is in failed/"),
    ("02/4", "        return\n", "        pass\n", "were developed twice"),
    ("03/1", "    celery_app.set_default()\n", "", "In a thread, the task would go to amqp"),
    ("03/1", "flask_app", "app", "took the Flask application for its own"),
    ("03/1", 'celery_app = flask_app.extensions["celery"]', "", "finds no Celery app"),
    ("03/1", "task_cls=FlaskTask, ", "", "outside of an application context"),
    ("03/1", OPENS_A_CONTEXT, OPENS_A_CONTEXT.replace("return ", ""), "what __call__ returns"),
    ("03/2", '(f"book:{id}"):\n        abort', '(f"book:{id}"):\n        print', "PENDING means"),
    ("03/2", 'album"]).id', 'album"]).get()', "Does it wait for the result?"),
    ("03/2", ', {"Location": url_for("show", id=id)}', "", "does not say where to look"),
    ("03/2", 'delay(request.form["album"])', "delay(request)", "POST /books answers 500"),
    ("03/2", "str(result.result)", "result.result", "its result is an exception"),
    ("03/2", '"waiting" if state == "PENDING" else "running"', '"waiting"', "Celery says STARTED"),
    ("03/2", 'state == "FAILURE"', "False", "The work is over, and the page says"),
    ("03/3", MARKER_FIRST, "", "ada came twice, and she got two mails"),
    ("03/3", 'memory.srem(f"begun:{album}", address)', "pass", "find the marker of the first"),
    ("03/3", "post.Later as", "(post.Later, post.NoAnswer) as", "When nobody knows, do not"),
    ("03/3", 'memory.sadd(f"unconfirmed:{album}", address)', "pass", "There are: none"),
    ("03/3", MARKER_FIRST, MARKER_LATE, "while her mail was still under way"),
    ("03/3", MARKER_FIRST, MARKER_IN_TWO_STEPS, "Two workers asked at the same moment"),
    ("03/4", "number % 10 == 0", "True", "the task has written 101 times to Redis"),
    ("03/4", "bind=True", "", "With bind=True the task gets itself"),
    ("03/4", '"COUNTING"', '"SUCCESS"', "written SUCCESS while the task was running"),
    ("03/4", '"COUNTING"', '"STARTED"', "Name your own state COUNTING"),
    ("03/4", "cancelled:{self.request.id}", "cancelled", "went on to the end"),
    ("03/4", '"seen": number}', '"seen": len(photos)}', "went on to the end"),
    ("04/1", "960", "9600", "Celery sends it less often than that. How many seconds"),
    ("04/1", 'uploads": 60', 'uploads": 1', "Nobody wrote minute=. What is it then?"),
    ("04/1", 'albums": 36', 'albums": 32', "does 17:45 belong to them?"),
    ("04/1", 'photos": 48', 'photos": 36', "When is the first run after 8:40?"),
    ("04/1", 'orders": 24', 'orders": 20', "can be divided by 70?"),
    ("04/1", 'printer": 4', 'printer": 3', "When is the first run after 21:00?"),
    ("04/1", 'invoices": 0', 'invoices": 1', "Is that day both?"),
    ("04/2", '"shop.close_the_day"', '"close_the_day"', "would throw its messages away"),
    ("04/2", '"options": {"expires": 1}', '"expires": 1', "What belongs to the message stands"),
    ("04/2", '{"expires": 1}', "{}", "finds 30,000 messages"),
    ("04/2", '{"expires": 1}', '{"expires": 60}', "When does nobody need it any more?"),
    (
        "04/2",
        "1.0,  # seconds",
        'crontab(minute="*/1"),',
        "A crontab knows minutes, and no seconds",
    ),
    ("04/2", "hour=18, minute=30", "hour=18", "60 times a day"),
    ("04/2", "crontab(hour=18, minute=30)", "24 * 3600", "counts from the moment beat starts"),
    ("04/2", 'app.conf.timezone = "Europe/Helsinki"\n', "", "20:30 in January and 21:30 in July"),
    ("04/2", '"Europe/Helsinki"', '"Helsinki"', "There is no time zone 'Helsinki'"),
    ("04/2", "beat_schedule", "schedule", "Nothing is scheduled"),
    ("04/3", ", blocking=False", "", "Does your task wait for the lock?"),
    ("04/3", 'return "busy"', "return", "should return 'busy', and it says: None"),
    ("04/3", "lock:tank", "lock", "there is no key lock:tank in Redis"),
    ("04/3", "return tank.develop", "tank.develop", "should return what the tank returns"),
    ("04/3", "lock.release()", "pass", "'bay' is done, and the tank is still locked"),
    (
        "04/3",
        FREES_IN_FINALLY,
        "    said = tank.develop(roll)\n    lock.release()\n    return said\n",
        "Who frees it after an error?",
    ),
    ("04/3", ", timeout=tank.SECONDS", "", "No `finally` runs after a SIGKILL"),
    ("04/3", "lock.release()", 'tank.memory.delete("lock:tank")', "removed the lock of 'heath'"),
    ("04/4", '"due": clockwork.DUE', '"due": "now"', "All messages say due='now'"),
    ("04/4", "paper, due)", "paper)", "A beat cannot send the task"),
    ("04/4", "ordered:{due}", "ordered", "holds back the next one"),
    ("04/4", WRITES_IN_ONE_STEP, "if True:", "By what do you know"),
    ("04/4", WRITES_IN_ONE_STEP, LOOKS_THEN_WRITES, "do you look and mark in one step?"),
    (
        "04/4",
        "ordered:{due}",
        "ordered:{order_paper.request.id}",
        "two of them are for the same time?",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES)
def test_a_mistake_is_answered_with_a_sentence_that_helps(copy, name, old, new, said):
    exercise = exercises.find(name)
    folder = copy(exercise.solution.glob("*.py"))
    [file] = [file for file in folder.glob("*.py") if old in file.read_text()]
    file.write_text(file.read_text().replace(old, new))
    assert said in (exercise.check(folder) or "Right.")


# The commands, on copies in a folder of the test's own


@pytest.fixture
def lab(tmp_path):
    def lab(*words):
        env = {**os.environ, "LAB_WORK": str(tmp_path / "work")}
        return subprocess.run([*LAB, *words], capture_output=True, text=True, env=env)

    lab.folder = tmp_path / "work" / "exercises" / "01" / "1_first_task"
    return lab


def test_from_start_to_solution(lab):
    first = EVERY[0]
    refused = lab("check", "01/1")
    assert refused.stderr == "Error: Start it first:  lab start 01/1\n"
    assert f"Your files are in {lab.folder}" in lab("start", "01/1").stdout
    wrong = lab("check", "01/1")
    assert wrong.returncode == 1
    assert "Not yet." in wrong.stdout and "lab hint 01/1" in wrong.stdout
    assert "The answer appears when yours is right" in lab("solution", "01/1").stderr
    for number in (1, 2, 3, 3):
        assert lab("hint", "01/1").stdout.startswith(f"Hint {number} of 3")
    shutil.copy(first.solution / "captions.py", lab.folder)
    right = lab("check", "01/1")
    assert (right.returncode, right.stdout.splitlines()[0]) == (0, "Right.")
    assert "@app.task" in lab("solution", "01/1").stdout
    assert lab("start", "01/1").returncode == 0
    assert "@app.task" in (lab.folder / "captions.py").read_text(), "start keeps your work"


def test_code_that_crashes_is_quoted_and_not_traced(lab):
    lab("start", "01/1")
    broken = "raise ValueError('oh')\n"
    (lab.folder / "captions.py").write_text(broken)
    wrong = lab("check", "01/1")
    assert wrong.returncode == 1
    assert "raise ValueError('oh')" in wrong.stdout
    assert wrong.stderr == ""


def test_watch_checks_after_every_save(lab, tmp_path):
    lab("start", "01/1")
    said = tmp_path / "said.txt"
    env = {**os.environ, "LAB_WORK": str(tmp_path / "work"), "PYTHONUNBUFFERED": "1"}
    with said.open("w") as log:
        watching = subprocess.Popen([*LAB, "watch", "01/1"], stdout=log, env=env)
    try:
        wait_until(lambda: "Waiting for you" in said.read_text(), "it did not begin to watch")
        assert "Not yet." in said.read_text()
        saved = time.monotonic()
        shutil.copy(EVERY[0].solution / "captions.py", lab.folder)
        wait_until(
            lambda: "Right." in said.read_text(), "it did not check again", log=said.read_text
        )
        print(f"right {time.monotonic() - saved:.1f} s after the save")
    finally:
        watching.kill()
        watching.wait()


def test_an_unknown_exercise_is_answered_with_those_there_are(lab):
    refused = lab("start", "01/99")
    assert refused.returncode == 1
    assert "There is no exercise '01/99'. There are:" in refused.stderr
    assert "  01/1  Write a task of your own" in refused.stderr
