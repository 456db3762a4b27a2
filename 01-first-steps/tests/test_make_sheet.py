"""The producer, as a learner runs it: a process of its own, and what it says when things go wrong.

Each bad luck has a bench of its own, because it breaks it.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from lab import Bench
from lab.bench import wait_until

CHAPTER = Path(__file__).parent.parent
MAKE_SHEET = [sys.executable, CHAPTER / "make_sheet.py"]


def colour(number: int) -> tuple[int, int, int]:
    """A colour that is far from those of all other numbers below 216."""
    return (number % 6 * 51, number // 6 % 6 * 51, number // 36 * 51)


def make_photos(folder: Path, count: int, size: tuple[int, int] = (64, 48)) -> None:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", size, colour(number)).save(folder / f"photo {number:03}.png")


def test_200_photos_stand_on_the_sheet_once_each_in_the_order_of_their_names(
    bench, worker, tmp_path
):
    make_photos(tmp_path / "photos", 200)
    command = [*MAKE_SHEET, tmp_path / "photos", "--out", tmp_path / "sheet.jpg"]
    job = bench.run(command, timeout=200)
    assert job.returncode == 0, job.log()
    # Nothing else: above all no grumbling of Celery's AsyncResult when Python ends.
    assert job.log() == f"200 of 200 photos are on {tmp_path / 'sheet.jpg'}\n"
    sheet = Image.open(tmp_path / "sheet.jpg")
    columns, width, height = 15, 256, 222  # 15 x 14 places of 240 x 180, a caption and a gap
    assert sheet.size == (15 * width + 16, 14 * height + 16)
    for number in range(200):
        middle = (16 + number % columns * width + 120, 16 + number // columns * height + 90)
        seen = sheet.getpixel(middle)
        difference = max(abs(a - b) for a, b in zip(seen, colour(number), strict=True))
        assert difference < 12, f"place {number} shows {seen}, not {colour(number)}"
    free = (16 + 14 * width + 120, 16 + 13 * height + 90)
    assert min(sheet.getpixel(free)) > 220, "the last place must be empty paper"
    assert sorted(os.listdir(tmp_path)) == ["photos", "sheet.jpg"], "nothing else may stay behind"


def test_strange_names_all_appear(bench, worker, tmp_path):
    names = [
        "-rf.png",
        "a b.png",
        "'quoted\".png",
        "🌄.png",
        "same.png",
        "deep/er/same.png",
        "$(x).png",
    ]
    names += [os.fsdecode(b"latin-\xe9.png"), "two\nlines.png"]
    folder = tmp_path / "-photos of $HOME"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name, "PNG")
    job = bench.run([*MAKE_SHEET, "--out", "-sheet.jpg", "--", folder.name], cwd=tmp_path)
    assert job.returncode == 0, job.log()
    assert "9 of 9 photos" in job.log()
    assert (tmp_path / "-sheet.jpg").exists()


def test_bad_files_are_named_with_their_reason_and_the_rest_is_made(bench, worker, tmp_path):
    folder = tmp_path / "photos"
    make_photos(folder, 3)
    (folder / "notes.txt").write_text("not a picture at all")
    whole = (folder / "photo 001.png").read_bytes()
    (folder / "short.png").write_bytes(whole[:-40])
    job = bench.run([*MAKE_SHEET, folder, "--out", tmp_path / "sheet.jpg"])
    assert job.returncode == 0, job.log()
    assert f"Left out: {folder / 'notes.txt'}: not a picture" in job.log()
    assert f"Left out: {folder / 'short.png'}: damaged:" in job.log()
    assert "3 of 5 photos" in job.log()


def test_one_photo_makes_a_sheet(bench, worker, tmp_path):
    make_photos(tmp_path / "photos", 1)
    job = bench.run([*MAKE_SHEET, tmp_path / "photos", "--out", tmp_path / "sheet.jpg"])
    assert "1 of 1 photos" in job.log()


def test_a_folder_without_a_picture_is_refused(bench, worker, tmp_path):
    (tmp_path / "notes.txt").write_text("words")
    job = bench.run([*MAKE_SHEET, tmp_path, "--out", tmp_path / "sheet.jpg"])
    assert job.returncode == 1
    assert "There is no sheet: none of these files can be used." in job.log()


@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "There is no file in"), ("missing", "There is no /"), ("file", "is not a folder")],
)
def test_no_folder_or_nothing_in_it_is_one_clear_sentence(bench, tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    job = bench.run([*MAKE_SHEET, tmp_path / name])
    assert job.returncode == 1
    assert said in job.log()
    assert len(job.log().splitlines()) == 1


def test_without_a_worker_it_says_so_and_how_to_start_one(tmp_path):
    make_photos(tmp_path / "photos", 2)
    with Bench(CHAPTER) as bench:
        job = bench.run([*MAKE_SHEET, tmp_path / "photos"])
        assert job.returncode == 1
        assert "No worker is running for these tasks." in job.log()
        assert "celery -A contact_sheet worker" in job.log()
        assert bench.xray().lengths.get("contact_sheet", 0) == 0, "nothing may be left in the queue"


def test_a_worker_of_another_app_is_no_worker_for_these_tasks(tmp_path):
    make_photos(tmp_path / "photos", 2)
    with Bench(CHAPTER) as bench:
        bench.worker("tasks")
        job = bench.run([*MAKE_SHEET, tmp_path / "photos", "--out", tmp_path / "sheet.jpg"])
        assert job.returncode == 1
        assert "No worker is running for these tasks." in job.log()
        assert bench.xray().lengths.get("contact_sheet", 0) == 0


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("sheet.png", "does not end with .jpg"),
        ("missing/sheet.jpg", "cannot be written"),
        ("folder.jpg", "cannot be written"),
        (".", "does not end with .jpg"),
    ],
)
def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(bench, tmp_path, out, said):
    make_photos(tmp_path / "photos", 1)
    (tmp_path / "folder.jpg").mkdir()
    job = bench.run([*MAKE_SHEET, "photos", "--out", out], cwd=tmp_path)
    assert job.returncode == 1
    assert said in job.log()
    assert len(job.log().splitlines()) == 1


def test_what_cannot_be_read_is_named(bench, worker, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything: run the tests as an ordinary user")
    make_photos(tmp_path / "photos", 1)
    (tmp_path / "photos" / "locked").mkdir(mode=0)
    (tmp_path / "photos" / "dangling.jpg").symlink_to("nowhere.jpg")
    job = bench.run([*MAKE_SHEET, tmp_path / "photos", "--out", tmp_path / "sheet.jpg"])
    assert "locked: not readable: permission denied" in job.log()
    assert "dangling.jpg: not found" in job.log()
    assert "1 of 3 photos" in job.log()


def test_without_a_broker_it_says_so_and_how_to_start_one(tmp_path):
    make_photos(tmp_path / "photos", 2)
    with Bench(CHAPTER) as bench:
        bench.broker.kill()
        job = bench.run([*MAKE_SHEET, tmp_path / "photos"])
        assert job.returncode == 1
        assert f"No broker answers at 127.0.0.1:{bench.broker.port}" in job.log()
        assert "lab broker" in job.log()


def slow_job(bench, tmp_path, patience, count=100):
    """So many photos of 6 million pixels, and the job that makes a sheet of them, under way: all
    are sent, some are done, and most are not."""
    make_photos(tmp_path / "photos", 1, size=(3000, 2000))
    first = tmp_path / "photos" / "photo 000.png"
    for number in range(1, count):
        os.link(first, tmp_path / "photos" / f"photo {number:03}.png")
    out = tmp_path / "sheet.jpg"
    job = bench.process(
        "job", [*MAKE_SHEET, tmp_path / "photos", "--out", out, "--patience", patience]
    )

    def under_way():
        now = bench.timeline()
        return len(now.sent) >= count and sum(run.ended is not None for run in now.runs) >= 3

    wait_until(under_way, "three photos were not finished", timeout=120, log=job.log)
    return job


@pytest.mark.takes(30)
def test_when_the_worker_is_killed_the_missing_photos_are_named(tmp_path):
    with Bench(CHAPTER) as bench:
        worker = bench.worker("contact_sheet")
        job = slow_job(bench, tmp_path, patience="20")
        worker.kill()
        done = sum(run.state == "SUCCESS" for run in bench.timeline().runs)
        assert done < 99, "the worker was killed too late"
        assert job.wait() == 1
        missing = [line for line in job.log().splitlines() if line.startswith("Missing: ")]
        assert 99 - done <= len(missing) <= 100 - done, job.log()
        assert "no worker has finished it" in missing[-1]
        assert "celery -A contact_sheet worker" in job.log()
        assert os.listdir(tmp_path) == ["photos"], "no half sheet and no thumbnails may stay behind"


def stopped_at_work(bench, process, tmp_path):
    """Stop a pool process. Whether it has a photo in hand; if not, it goes on.

    Between two photos, its death would harm nobody. It has one in hand when its task has begun
    and there is no thumbnail yet.
    """
    os.kill(process, signal.SIGSTOP)
    for run in bench.timeline().runs:
        if run.process == str(process) and run.state == "running":
            number = int(run.label.removeprefix("photo ").removesuffix(".png"))
            if not list(tmp_path.glob(f".thumbnails-*/{number}.jpg")):
                return True
    os.kill(process, signal.SIGCONT)
    return False


@pytest.mark.takes(20)
def test_when_a_pool_process_is_killed_the_job_ends_and_says_which_photo(tmp_path):
    with Bench(CHAPTER) as bench:
        worker = bench.worker("contact_sheet")
        job = slow_job(bench, tmp_path, patience="20", count=40)
        [process] = worker.pool()
        wait_until(lambda: stopped_at_work(bench, process, tmp_path), "it was never at work")
        os.kill(process, signal.SIGKILL)
        assert job.wait(timeout=240) == 1
        assert "A task has failed" in job.log()
        assert "Worker exited prematurely: signal 9 (SIGKILL)" in job.log()


def test_when_the_broker_dies_the_job_ends_with_a_sentence(tmp_path):
    with Bench(CHAPTER) as bench:
        bench.worker("contact_sheet")
        job = slow_job(bench, tmp_path, patience="20")
        bench.broker.kill()
        assert job.wait(timeout=90) == 1
        # What Celery's AsyncResult.__del__ may grumble afterwards is not in our hands.
        said = job.log().partition("Exception ignored in")[0]
        assert "The broker has stopped" in said
        assert "Traceback" not in said
