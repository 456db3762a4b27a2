"""What beat prints. Every bad beat has a folder of its own, and all of them start at once."""

from lab.bench import celery
from lab.course.catalogue import provokes

APP = """
from celery import Celery
from schedules import ENTRY, ZONE

app = Celery("tower", broker="redis://localhost:6379/0")
app.conf.timezone = ZONE


@app.task
def ring():
    pass


app.conf.beat_schedule = {
    "good": {"task": "tower.ring", "schedule": 1},
    "bad": {"task": "tower.ring", **ENTRY},
}
"""

SCHEDULES = """
from celery.schedules import crontab

ZONE, ENTRY = "Europe/Paris", {"schedule": 1}


class Tides(crontab):
    def remaining_estimate(self, last_run_at, **kwargs):
        raise LookupError(f"no tides are known for {last_run_at:%Y}")


class OfficeHours(crontab):
    def __init__(self):
        super().__init__(0, "9-17", "mon-fri")

    def __reduce__(self):
        return OfficeHours, ()


"""

# What each case adds to these schedules. Where it has two parts, beat runs with the first one, and
# then with both.
CASES = {
    "a_wrong_key": ['ENTRY["expires"] = 5\n'],
    "a_wrong_argument": ['ENTRY["args"] = ("loudly",)\n'],
    "no_next_run": ['ENTRY["schedule"] = Tides(0, 6)\n'],
    "another_zone": ["", 'ZONE = "UTC"\n'],
    "a_class_that_is_gone": [
        'ENTRY["schedule"] = OfficeHours()\n',
        'ENTRY["schedule"] = 1\ndel OfficeHours\n',
    ],
    "no_broker": [""],
    "no_file": [""],
    "a_stale_pid_file": [""],
}
OPTIONS = {
    "no_file": ["--schedule", "nowhere/celerybeat-schedule"],
    "a_stale_pid_file": ["--pidfile", "beat.pid"],
}


def prepare(bench):
    """Start them all."""

    def start(case):
        argv = celery("tower", "beat", "--loglevel", "INFO", *OPTIONS.get(case, []))
        env = {}
        if case == "no_broker":
            env["CELERY_BROKER_URL"] = "redis://127.0.0.1:9/0"  # nobody listens there
        return bench.process(case, argv, cwd=bench.folder / case, env=env)

    for case, parts in CASES.items():
        folder = bench.folder / case
        folder.mkdir()
        (folder / "tower.py").write_text(APP)
        (folder / "schedules.py").write_text(SCHEDULES + parts[0])
    ended = bench.run(["true"]).pid
    (bench.folder / "a_stale_pid_file" / "beat.pid").write_text(f"{ended}\n")
    beats = {case: start(case) for case in CASES}
    for case, parts in CASES.items():
        if len(parts) == 2:
            beats[case].wait_for("Sending due task good", timeout=60)
            beats[case].stop()
            with (bench.folder / case / "schedules.py").open("a") as file:
                file.write(parts[1])
            start(case)


def log(bench, case, text):
    """The log of a beat, as soon as `text` stands in it."""
    beat = [each for each in bench.processes if each.name == case][-1]
    beat.wait_for(text, timeout=60)
    return beat.log()


@provokes("ScheduleEntry.__init__() got an unexpected keyword argument '...'")
def a_wrong_key(bench):
    """# beat dies: an entry has a key that it does not know

    ## Why

    An entry has `task`, `schedule`, `args`, `kwargs`, `options` and `relative`. What you would give
    to `apply_async`, such as `expires` or `queue`, stands one level deeper. beat reports its own
    crash through its log, a word in a line: the last line is the one that counts.

    ## Fix

    `"options": {"expires": 5, "queue": "mail"}`. Before beat starts, `lab calendar -A
    your_app --check` names the entry, which this message does not.
    """
    return log(bench, "a_wrong_key", "an unexpected keyword argument")


@provokes("celery.beat.SchedulingError: Couldn't apply scheduled task ...: ...")
def a_wrong_argument(bench):
    """# Couldn't apply scheduled task

    ## Why

    beat could not send this entry, and the reason stands behind the colon. Mostly its `args` do not
    fit the function, or they are no JSON. beat goes on with the others, and fails again each time
    this one is due. When it knows the task by its name alone, it looks at no arguments: then the
    task fails in the worker.

    ## Fix

    Correct `args` and `kwargs` of the entry. One argument is a tuple with a comma: `("loudly",)`.
    """
    return log(bench, "a_wrong_argument", "SchedulingError: Couldn't apply scheduled task")


@provokes("beat: Cannot calculate the next run of '...', trying again in ...")
def no_next_run(bench):
    """# Cannot calculate the next run

    ## Why

    The schedule of this entry raised an error when beat asked it how long until the next run. It is
    a class of your own, or of a package: the error stands below the message. Since Celery 5.7 beat
    goes on with the other entries, and asks again later. This one does not run.

    ## Fix

    Correct `remaining_estimate` or `is_due` of the class. Try it without beat: `lab
    calendar -A your_app` asks the same question.
    """
    return log(bench, "no_next_run", "Cannot calculate the next run")


@provokes("Reset: Timezone changed from '...' to '...'")
def another_zone(bench):
    """# Reset: Timezone changed

    ## Why

    beat's file was written with another `timezone`. beat forgets what stands in it: when each entry
    has run last. So it catches up nothing, and intervals begin again.

    ## Fix

    After a change of the setting: nothing, look whether a run was left out today. When it comes at
    every start, two programs with different settings use one file: give each its own `--schedule`.
    """
    return log(bench, "another_zone", "Reset: Timezone changed")


@provokes("Can't get attribute '...' on <module '...' from '...'>")
def a_class_that_is_gone(bench):
    """# beat dies: Can't get attribute of a module

    ## Why

    beat keeps its schedule in a file, with pickle. There stands the name of a class for each entry,
    and the class has been renamed, moved or removed since then. The code of today does not matter:
    the file is read first.

    ## Fix

    Delete the files `celerybeat-schedule*`. beat makes them again from the code. Then an entry that
    was overdue is not any more.
    """
    return log(bench, "a_class_that_is_gone", "Can't get attribute")


@provokes("beat: Connection error: ... Trying again in ... seconds...")
def no_broker(bench):
    """# beat: Connection error

    ## Why

    The broker does not answer. beat tries again, each time two seconds later than the time before,
    up to `broker_connection_max_retries` (100) times. It sends nothing meanwhile, and an interval
    that was due several times comes once.

    ## Fix

    Start the broker. If it runs: the URL is in the message, compare it with the one of the worker.
    """
    return log(bench, "no_broker", "Trying again in")


@provokes("Removing corrupted schedule file '...': ...")
def no_file(bench):
    """# Removing corrupted schedule file

    ## Why

    beat could not open its file `celerybeat-schedule`, and the reason stands behind the colon. It
    says "corrupted" whatever it is: the folder is not there, or beat may not write in it, another
    beat has the file open, another version of Python wrote it. beat removes the file and tries
    once more. If that does not help it dies.

    ## Fix

    `--schedule /a/folder/that/stays/celerybeat-schedule`, in a folder that exists and that beat may
    write to: the folder of the code in a container is often neither. One beat for one file.
    """
    return log(bench, "no_file", "Removing corrupted schedule file")


@provokes("Stale pidfile exists - Removing it.")
def a_stale_pid_file(bench):
    """# Stale pidfile exists

    ## Why

    beat was killed, and could not remove its pid file. No process has the number in it any more, so
    beat removes it and starts. In a container this can fail: there beat gets the same small number
    each time, or another process has it. Then it says that the file "already exists", and ends.

    ## Fix

    Nothing, when beat starts. In a container leave `--pidfile` out, or put the file where a restart
    begins empty: `--pidfile /tmp/beat.pid` without a volume. There is one beat for each container.
    """
    return log(bench, "a_stale_pid_file", "Stale pidfile exists")
