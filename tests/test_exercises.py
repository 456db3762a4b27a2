"""Every exercise: its starter fails, its solution passes, and they differ at the TODO only."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time

import pytest

from lab.authoring import checks
from lab.bench import wait_until
from lab.course import exercises

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
    assert wrong.endswith(("?", ".", "'")), f"a beginner has to understand this: {wrong}"


@each
def test_the_solution_passes(exercise, copy):
    assert exercise.check(copy(exercise.solved)) is None


@each
def test_an_exercise_has_all_its_parts_and_differs_from_its_solution_at_the_todo_only(exercise):
    assert list(checks.of_exercise(exercise)) == []


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
KEEPS = """    with NamedTemporaryFile("w", dir=ORDERS) as file:
        json.dump(order, file)
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return json.loads(path.read_text())
"""
KEEPS_PERHAPS_HALF = """    try:
        with open(path, "x") as file:
            json.dump(order, file)
    except FileExistsError:
        return json.loads(path.read_text())
"""
LOOKS_THEN_KEEPS = """    if path.exists():
        return json.loads(path.read_text())
    path.write_text(json.dumps(order))
"""
ONLY_THE_POOL_PROCESS = (
    """@task_failure.connect
def keep(sender, task_id, exception, args, kwargs, **rest):
""",
    """from celery.signals import task_postrun
@task_postrun.connect
def keep(sender, task_id, retval, args, kwargs, state, **rest):
    exception = retval
    if state != "FAILURE":
        return
""",
)
SENDS = """    app.send_task(letter["task"], letter["args"], letter["kwargs"])
"""
TAKES_OUT = """    memory.hdel("dead", id)
"""
TAKEN_OUT_FIRST = (SENDS + TAKES_OUT, TAKES_OUT + SENDS)
WRITES_IN_ONE_STEP = 'if supplier.memory.set(f"ordered:{due}", paper, nx=True, ex=24 * 3600):'
LOOKS_THEN_WRITES = """if not supplier.memory.exists(f"ordered:{due}"):
        supplier.order(paper)
        supplier.memory.set(f"ordered:{due}", paper)
    if False:"""
MISTAKES = [
    ("01/1", "@app.task", '@app.task(name="caption")', "It should list captions.caption"),
    ("01/1", "(photo):", "(photo:", "captions.py cannot be read: '(' was never closed (line 9)."),
    (
        "01/2",
        'forget(6, 3)": "PENDING"',
        'forget(6, 3)": "SUCCESS"',
        "Look at divide_and_forget(6, 3)",
    ),
    ("01/2", '"divide(6, 3)": "SUCCESS"', '"divide": "SUCCESS"', "Keep the four calls in ANSWERS"),
    ("01/3", ", retry_backoff=True", "", "Celery waits 180 seconds"),
    ("01/3", "(ConnectionError,)", "(Exception,)", "A wrong address was tried again"),
    ("01/4", "(total.s())", "", "a chord that has not been sent"),
    ("01/4", "count.s(text)", "count.delay(text)", "You put a receipt where a signature belongs"),
    ("01/4", "return chord", "chord", "It should return the receipt of `total`"),
    ("01/5", '"studio.newsletter": {"queue": "mail"}', '"mail"', "should be a dict"),
    ("01/5", '"studio.newsletter"', '"newsletter"', "full name of the task is studio.newsletter"),
    ("01/6", '"prints.frame"', '"prints.Frame"', "Where does the next message wait?"),
    ("01/6", "colour.s(), frame.s()", "frame.s(), colour.s()", "came back as 'coloured framed"),
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
    ("05/1", "task_acks_late=True,", "", "was acknowledged when its task began"),
    ("05/1", "15 * 60", "5 * 60", "a second process prints it now"),
    ("05/1", "15 * 60", "20 * 60", "A worker looks every 100 seconds"),
    ("05/1", '{"visibility_timeout": 15 * 60}', "{}", "You have set no visibility timeout"),
    ("05/1", "task_retry_on_worker_lost=True,", "", "the state is FAILURE. Which setting"),
    ("05/1", "task_retry_on", "task_reject_on", "all night. Who counts?"),
    ("05/1", ", default_retry_delay=1", "", "Celery waits 180 seconds"),
    ("05/1", "max_retries=2", "max_retries=3", "counts what comes after the first try"),
    ("05/2", 'Key": order', 'Key": f"{order}-{self.request.retries}"', "bob-0, bob-1"),
    ("05/2", 'Key": order', 'Key": self.request.id', "a message has an id of its own"),
    ("05/2", "httpx.TransportError", "httpx.ConnectError", "does not know that he has paid"),
    ("05/2", "httpx.TransportError", "Exception", "the shop has no price for it"),
    ("05/2", 'int(answer.headers["Retry-After"])', "0.2", "and you wait 0.2"),
    ("05/2", 'int(answer.headers["Retry-After"])', 'answer.headers["Retry-After"]', "is text"),
    ("05/2", 'raise Declined(answer.json()["error"])', "raise self.retry(countdown=0)", "5 times"),
    ("05/3", KEEPS, f"    print_order.delay(key)\n{KEEPS}", "before there was a file"),
    ("05/3", KEEPS, LOOKS_THEN_KEEPS, "What looks and writes in one step?"),
    ("05/3", KEEPS, KEEPS_PERHAPS_HALF, "Half of it lies there as moor.json"),
    ("05/3", "suppress(OperationalError)", "suppress(ConnectionError)", "The broker was down"),
    ("05/3", "os.utime(path)", "pass", "Their messages wait"),
    ("05/3", 'path.with_suffix(".printed").exists()', "False", "printed, and send_again sent"),
    ("05/3", "standing and not", "not", "'harbour' was ordered a moment ago"),
    ("05/4", '"shop.print_urgent"', '"print_urgent"', "goes to the queue 'celery', and none of"),
    ("05/4", '"fourth": "bulk"', '"fourth": "urgent"', "goes to the queue 'bulk', and none of"),
    ("05/4", '"third": "orders"', '"third": "bulk"', "Only the worker 'second' reads the queue"),
    ("05/4", '"first": "urgent"', '"first": "urgent,bulk"', "makes a statement. These do: first."),
    ("05/4", '"first": "urgent"', '"first": "urgent,orders"', "a long order. These do: first."),
    ("05/4", '"third": "orders"', '"third": "orders,bulk"', "Who of them reads another one?"),
    ("05/4", "worker_disable_prefetch = True", "", "only when its process is free?"),
    ("05/4", "disable_prefetch = True", "prefetch_multiplier = 1", "counts what is not ack"),
    ("05/4", "disable_prefetch = True", "prefetch_multiplier = 0", "as many as there are"),
    ("05/5", "@task_failure.connect\n", "", "there is no letter of it"),
    ("05/5", *ONLY_THE_POOL_PROCESS, "endless.jpg ran into the hard time limit, and there is no"),
    ("05/5", "repr(exception)", "exception", "Your handler raised TypeError('Object of type"),
    ("05/5", "repr(exception)", "str(exception)", "the name of the error in it, ValueError"),
    ("05/5", '"dead", task_id', '"dead", memory.incr("id")', "Celery has sent the signal twice"),
    ("05/5", ', letter["kwargs"]', "", "this is done: torn.jpg framed in black. Is all of it"),
    ("05/5", 'hdel("dead", id)', 'hget("dead", id)', "Its letter is still there"),
    ("05/5", 'letter["kwargs"])', 'letter["kwargs"], task_id=id)', "Has it the same id?"),
    ("05/5", *TAKEN_OUT_FIRST, "When is it safe to take it out?"),
    ("05/6", "app.conf.task_acks_late = True\n", "", "Put that back: the bug is somewhere else"),
    ("05/6", "LONGEST_PRINT * 2", "LONGEST_PRINT / 2", "reports: TimeLimitExceeded(3.0)"),
]


@pytest.mark.takes(10)
@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES)
def test_a_mistake_is_answered_with_a_sentence_that_helps(copy, name, old, new, said):
    exercise = exercises.find(name)
    folder = copy(exercise.solved)
    [file] = [file for file in folder.glob("*.py") if old in file.read_text()]
    file.write_text(file.read_text().replace(old, new))
    assert said in (exercise.check(folder) or "Right.")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('bye', flush=True)\nimport os\nos._exit(1)\n", "It printed:\nbye\n"),
        ("raise SystemExit(1)", "It printed:\n"),
        ("input('How many? ')", "times.py: input('How many? ')"),
    ],
)
def test_code_that_ends_the_check_or_asks_is_told_so(copy, code, said):
    folder = copy(exercises.find("04/1").starter)
    with (folder / "times.py").open("a") as file:
        file.write(f"\n{code}\n")
    assert said in (exercises.find("04/1").check(folder) or "Right.")


def test_what_only_the_check_has_seen_is_said_with_its_place(copy, tmp_path):
    """A fault of a new check looks like one of the learner's code, to whoever writes it."""
    real = exercises.find("01/1")
    folder = shutil.copytree(real.folder, tmp_path / "exercise")
    (folder / "check.py").write_text("def check(bench):\n    {}['paper']\n")
    assert dataclasses.replace(real, folder=folder).check(copy(real.solved)) == (
        "With your code this happens: KeyError: 'paper'\n"
        "It was seen in check.py, line 2: {}['paper']"
    )


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
        wait_until(
            lambda: "Waiting for you" in said.read_text(), "it did not begin to watch", timeout=140
        )
        assert "Not yet." in said.read_text()
        saved = time.monotonic()
        shutil.copy(EVERY[0].solution / "captions.py", lab.folder)
        wait_until(
            lambda: "Right." in said.read_text(),
            "it did not check again",
            timeout=140,
            log=said.read_text,
        )
        print(f"right {time.monotonic() - saved:.1f} s after the save")
    finally:
        watching.kill()
        watching.wait()


def test_ctrl_c_in_a_check_ends_it_without_a_traceback(lab, tmp_path):
    import pexpect

    lab("start", "01/1")
    shutil.copy(EVERY[0].solution / "captions.py", lab.folder)
    waits = "import pathlib\npathlib.Path('begun').touch()\nwhile True:\n    pass\n"
    with (lab.folder / "captions.py").open("a") as file:
        file.write(waits)  # its worker begins, and is never ready
    env = {**os.environ, "LAB_WORK": str(tmp_path / "work")}
    terminal = pexpect.spawn(LAB[0], [*LAB[1:], "check", "01/1"], env=env, encoding="utf-8")
    wait_until(lambda: (lab.folder / "begun").exists(), "the check does not begin")
    terminal.sendintr()
    terminal.expect(pexpect.EOF, timeout=60)
    terminal.close()
    assert (terminal.before.split(), terminal.exitstatus) == (["^C", "Aborted!"], 1)


def test_an_unknown_exercise_is_answered_with_those_there_are(lab):
    refused = lab("start", "01/99")
    assert refused.returncode == 1
    assert "There is no exercise '01/99'. There are:" in refused.stderr
    assert "  01/1  Write a task of your own" in refused.stderr
