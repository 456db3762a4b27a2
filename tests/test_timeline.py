"""The timeline tells what happened: with real workers, one sad end each."""

import os
from itertools import pairwise

import pytest
from PIL import Image

from lab import Bench
from lab.bench import wait_until
from lab.observe.drawing import figure
from lab.observe.timeline import Run, Timeline

TASKS = """
import os
import signal
import time
from celery import Celery

app = Celery("sad", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def nap(seconds):
    time.sleep(seconds)


@app.task
def fail():
    raise ValueError("no")


@app.task(bind=True)
def try_twice(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0)


@app.task
def die():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(acks_late=True, reject_on_worker_lost=True, bind=True)
def come_back(self):
    if not self.request.delivery_info["redelivered"]:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sad")
    (folder / "sad.py").write_text(TASKS)
    with Bench(folder) as bench:
        bench.worker("sad", concurrency=1)
        import sad

        for task in (sad.fail, sad.try_twice, sad.die, sad.come_back):
            task.delay().get(propagate=False, timeout=60)
        with bench.processes[-1].asleep():  # nothing begins before all are sent
            naps = [sad.nap.delay(0.5) for _ in range(3)]
        for nap in naps:
            nap.get(timeout=60)
        # A result is there a moment before its task has ended.
        wait_until(
            lambda: all(run.state != "running" for run in bench.timeline().runs), "a task runs on"
        )
        yield bench


def runs_of(bench, task):
    return [run for run in bench.timeline().runs if run.task == f"sad.{task}"]


def test_a_success_ends_after_it_began_in_a_pool_process(bench):
    worker = bench.processes[-1]
    for run in runs_of(bench, "nap"):
        assert run.state == "SUCCESS"
        assert run.ended - run.started >= 0.5
        assert int(run.process) in worker.pool(), "the row is the pool process, not the worker"


def test_one_pool_process_runs_one_task_at_a_time(bench):
    timeline = bench.timeline()
    for process in timeline.processes:
        for earlier, later in pairwise(timeline.of(process)):
            assert earlier.ended <= later.started


def test_each_sad_end_has_its_name(bench):
    assert [run.state for run in runs_of(bench, "fail")] == ["FAILURE"]
    assert [(run.state, run.retries) for run in runs_of(bench, "try_twice")] == [
        ("RETRY", 0),
        ("SUCCESS", 1),
    ]
    assert [run.state for run in runs_of(bench, "die")] == ["cut off"]
    assert [(run.state, run.redelivered) for run in runs_of(bench, "come_back")] == [
        ("cut off", False),
        ("SUCCESS", True),
    ]


def test_a_pool_process_that_died_has_a_row_and_so_has_the_next(bench):
    assert len(bench.timeline().processes) == 3, "two were killed, the third one lives"


def test_what_waits_is_counted(bench):
    levels = [number for _, number in bench.timeline().waiting()]
    assert max(levels) >= 2, "three naps, one process: two wait"
    assert min(levels) == levels[-1] == 0


def test_a_task_whose_sender_writes_after_its_start_never_counts_as_less_than_none():
    runs = [
        Run("1", "sad.nap", "", "celery@here", "100", started=at, ended=at + 1) for at in (0.5, 2)
    ]
    levels = Timeline(runs=runs, sent={"1": [0.6, 2.1]}).waiting()
    assert levels == [(0.5, 1), (0.5, 0), (2, 1), (2, 0)]


def test_a_worker_that_is_killed_cuts_its_task_off(bench):
    with Bench(bench.chapter) as other:
        worker = other.worker("sad")
        import sad

        sad.nap.delay(100)
        wait_until(lambda: other.timeline().runs, "the nap did not begin")
        assert other.timeline().runs[0].state == "running"
        worker.kill()
        assert other.timeline().runs[0].state == "cut off"


def test_the_text_shows_rows_letters_and_marks(bench):
    text = bench.timeline().text(width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "a = sad.fail" in text
    for mark in ("! = failed", "~ = will be retried", "? = cut off: its process died", "capital ="):
        assert mark in text


def test_the_picture_has_a_row_per_process_and_no_text_overlaps(bench, tmp_path):
    picture = figure([("What became of them", bench.timeline())])
    picture.savefig(tmp_path / "timeline.png", dpi=100)
    assert Image.open(tmp_path / "timeline.png").width == 1000
    above, below = picture.axes
    names = [label.get_text() for label in below.get_yticklabels()]
    assert names == [f"pool process {process}" for process in bench.timeline().processes]
    texts = [*below.get_yticklabels(), *above.get_yticklabels(), above.yaxis.label]
    texts += [above.title, *picture.legends[0].get_texts()]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    for index, box in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert not box.overlaps(other)


def test_no_records_make_an_empty_picture(tmp_path):
    with Bench("01-first-steps") as bench:
        assert bench.timeline().text() == "Nothing ran.\n"
        figure([("", bench.timeline())]).savefig(tmp_path / "empty.png")
    assert os.path.getsize(tmp_path / "empty.png") > 1000


def test_threads_have_rows_of_their_own(bench):
    with Bench(bench.chapter) as other:
        worker = other.worker("sad", pool="threads", concurrency=2)
        import sad

        with worker.asleep():
            naps = [sad.nap.delay(3) for _ in range(2)]
        for nap in naps:
            nap.get(timeout=60)
        assert len(other.timeline().processes) == 2
