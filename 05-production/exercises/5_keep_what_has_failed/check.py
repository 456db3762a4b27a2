import json
import os
import signal
from contextlib import suppress

from celery.signals import after_task_publish

from lab.bench import WORKER_READY, server_binary, wait_until

# What happens to each photo, and what has to stand in the reason.
FATES = {
    "torn.jpg": ("raised an error", "ValueError"),
    "slow.jpg": ("ran into the soft time limit", "SoftTimeLimitExceeded"),
    "endless.jpg": ("ran into the hard time limit", "TimeLimitExceeded"),
    "huge.jpg": ("lost its pool process by SIGKILL", "WorkerLostError"),
}


def check(bench):
    # The memory is a server of its own: the broker is going to die.
    socket = bench.folder / "memory.sock"
    options = ["--port", "0", "--unixsocket", socket, "--save", ""]
    bench.process("memory", [server_binary(), *options], ready="eady to accept connections")
    os.environ["REDIS_URL"] = url = f"unix://{socket}"
    worker = bench.worker("shop", concurrency=4, env={"REDIS_URL": url}, wait=False)
    from dead_letters import replay
    from shop import frame_photo, memory, print_photo

    def runs(photo):
        return [run for run in bench.timeline().runs if run.label == photo]

    def ended(photo, times=1):
        """Whether all runs of a photo have ended, and there are so many."""
        ends = [run.ended is not None for run in runs(photo)]
        return len(ends) >= times and all(ends)

    def letters(photo):
        """The letters of a photo: by their ids."""
        kind = memory.type("dead")
        assert kind in ("none", "hash"), f"`dead` should be a hash, and it is a {kind}."
        found = {}
        for id, text in memory.hgetall("dead").items():
            try:
                letter = json.loads(text)
                of_photo = photo in letter["args"]
            except (ValueError, KeyError, TypeError):
                raise AssertionError(
                    "A letter should be JSON, with task, args, kwargs and reason. There is this "
                    f"one: {text[:200]!r}."
                ) from None
            if of_photo:
                found[id] = letter
        return found

    def trouble_in_keep():
        """What a handler has raised, by the worker's log."""
        lines = [line for line in worker.log().splitlines() if "Signal handler" in line]
        return f" Your handler raised {lines[0].rpartition(' raised: ')[2]}." if lines else ""

    worker.wait_for(WORKER_READY)
    trouble = {"torn.jpg": "torn", "moor.jpg": "busy"}
    memory.hset("trouble", mapping=dict.fromkeys(FATES, "stuck") | trouble)
    frame_photo.delay("torn.jpg", colour="red")
    print_photo.apply_async(("slow.jpg",), {"copies": 2}, soft_time_limit=1)
    endless = print_photo.apply_async(("endless.jpg",), {"copies": 3}, time_limit=1)
    huge = print_photo.delay("huge.jpg", copies=4)
    wait_until(lambda: runs("huge.jpg"), "nobody prints huge.jpg", log=worker.log)
    os.kill(int(runs("huge.jpg")[0].process), signal.SIGKILL)
    print_photo.delay("moor.jpg")
    wait_until(
        lambda: (
            ended("torn.jpg")
            and ended("slow.jpg")
            and ended("moor.jpg", times=2)
            and {endless.id, huge.id} <= set(bench.timeline().errors)
        ),
        "not all of the five photos have ended",
        log=worker.log,
    )
    # The worker takes one more: it is done with the failures before, and with their handlers.
    print_photo.delay("dune.jpg")
    wait_until(lambda: ended("dune.jpg"), "nobody prints dune.jpg", log=worker.log)

    for photo, (fate, error) in FATES.items():
        kept = list(letters(photo).values())
        assert kept, (
            f"The task of {photo} {fate}, and there is no letter of it in the hash `dead`."
            f"{trouble_in_keep()}"
        )
        assert len(kept) == 1, (
            f"The task of {photo} {fate}, and there are {len(kept)} letters of it. Celery has sent "
            "the signal twice. By what do you know that it is the same message?"
        )
        reason = str(kept[0].get("reason"))
        assert error in reason, (
            f"The task of {photo} {fate}. As the reason its letter says {reason!r}. It should have "
            f"the name of the error in it, {error}."
        )
    assert not letters("moor.jpg"), (
        "The machine was busy, moor.jpg was tried again, and it is printed. There is a letter of "
        "it, and it has not failed."
    )

    def replayed(photo):
        """Replay the letter of a photo, and wait until the worker is done with it."""
        before = len(runs(photo))
        sent = []
        note = after_task_publish.connect(lambda headers, **_: sent.append(headers), weak=False)
        replay(next(iter(letters(photo))))
        after_task_publish.disconnect(note)
        assert sent, f"`replay` was called with the id of the letter of {photo}, and sends nothing."
        wait_until(
            lambda: ended(photo, before + 1) or "unregistered task" in worker.log(),
            f"the worker does not do {sent[0]['task']} {sent[0]['argsrepr']}",
            log=worker.log,
        )
        assert ended(photo, before + 1), (
            f"`replay` has sent a task named {sent[0]['task']!r}, and the worker knows no such "
            "task. What does `sender.name` say?"
        )

    # The reason is gone
    memory.hdel("trouble", "torn.jpg")
    replayed("torn.jpg")
    done = [line for line in memory.lrange("done", 0, -1) if "torn.jpg" in line]
    assert done == ["torn.jpg framed in red"], (
        "torn.jpg was to be framed in red. After its letter was replayed, this is done: "
        f"{', '.join(done) or 'nothing'}. Is all of it sent again: the task, args and kwargs?"
    )
    assert not letters("torn.jpg"), "torn.jpg was replayed and is done. Its letter is still there."

    # It fails again, and the worker is quicker than `replay`
    memory.hset("trouble", "slow.jpg", "torn")
    again = len(runs("slow.jpg")) + 1

    @after_task_publish.connect
    def be_slow(**_):
        wait_until(lambda: ended("slow.jpg", again), "nobody prints slow.jpg")

    replayed("slow.jpg")
    after_task_publish.disconnect(be_slow)
    kept = list(letters("slow.jpg").values())
    assert kept, (
        "slow.jpg was replayed and failed again, before `replay` had taken the old letter out. "
        "There was a new letter, and `replay` has taken that one. Has it the same id?"
    )
    assert len(kept) == 1, (
        f"slow.jpg was replayed and failed again. There are {len(kept)} letters of it: is the old "
        "one still there?"
    )

    # No broker
    bench.broker.kill()
    with suppress(Exception):
        replay(next(iter(letters("endless.jpg"))))
    assert letters("endless.jpg"), (
        "There was no broker, `replay` could not send endless.jpg, and its letter is gone all the "
        "same. When is it safe to take it out?"
    )
