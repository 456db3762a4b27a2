"""The same tasks at two levels: `.apply()` in this process, `.delay()` through a real worker."""

import pytest
from celery import chord
from PIL import Image

from contact_sheet import app, assemble, make_thumbnail


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (64, 48), "teal").save(path)
    return str(path)


def test_apply_makes_a_thumbnail_without_a_broker(photo, tmp_path):
    result = make_thumbnail.apply([photo, f"{tmp_path}/small.jpg"])
    assert result.get() == {"photo": photo, "thumbnail": f"{tmp_path}/small.jpg"}
    assert Image.open(tmp_path / "small.jpg").size == (240, 180)


def test_a_bad_photo_is_a_result_and_not_an_exception(tmp_path):
    result = make_thumbnail.apply([f"{tmp_path}/gone.jpg", f"{tmp_path}/small.jpg"])
    assert result.get()["reason"].startswith("not found")


def test_no_good_photo_means_no_sheet(tmp_path):
    results = [{"photo": "a.jpg", "reason": "not a picture"}]
    assert assemble.apply([results, str(tmp_path), f"{tmp_path}/sheet.jpg"]).get() == 0
    assert not (tmp_path / "sheet.jpg").exists()


def test_a_real_worker_runs_the_chord(worker, photo, tmp_path):
    header = [
        make_thumbnail.s(photo, f"{tmp_path}/0.jpg"),
        make_thumbnail.s(f"{tmp_path}/gone.jpg", f"{tmp_path}/1.jpg"),
    ]
    sheet = chord(header)(assemble.s(str(tmp_path), f"{tmp_path}/sheet.jpg"))
    assert sheet.get(timeout=60) == 1
    assert Image.open(tmp_path / "sheet.jpg").size == (272, 238)


def test_the_message_carries_paths_and_not_pictures(bench, photo, tmp_path):
    """Send to a queue that nobody reads, and look at what lies there."""
    make_thumbnail.apply_async([photo, f"{tmp_path}/0.jpg"], queue="nobody")
    [message] = bench.xray().queues["nobody"]
    assert message.task == "contact_sheet.make_thumbnail"
    assert message.body[0] == [photo, f"{tmp_path}/0.jpg"]


def test_the_sheet_has_a_queue_of_its_own():
    """A worker for tasks.py, on the same Redis, must never take these messages."""
    assert app.conf.task_default_queue == "contact_sheet"


def test_a_worker_for_tasks_py_adds(bench):
    """The app of Celery's own First Steps, through a worker of its own."""
    from tasks import add

    bench.worker("tasks")
    result = add.delay(4, 4)
    assert result.get(timeout=60) == 8
    assert (result.ready(), result.successful(), result.state) == (True, True, "SUCCESS")
    failing = add.delay(4, "4")
    with pytest.raises(TypeError, match="unsupported operand"):
        failing.get(timeout=60)
    assert "TypeError" in failing.traceback
