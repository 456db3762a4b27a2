"""The thumbnails at three levels: functions, tasks in this process, tasks through a real worker.

And through the worker of another project, which knows nothing of the album.
"""

import ast
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from serving import SIZES, picture

from lab.bench import wait_until
from thumbnails import pictures, tasks

CHAPTER = Path(__file__).parent.parent


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo"
    path.write_bytes(picture(size=(800, 600)))
    return path


@pytest.fixture
def places(photo, tmp_path):
    """What `make` needs to know: the photo, the folder for its thumbnails, the reason."""
    return photo, tmp_path / "ready" / "1", tmp_path / "failed" / "1"


def reason(content: bytes) -> str:
    with pytest.raises(pictures.BadPicture) as caught:
        pictures.check(BytesIO(content))
    return str(caught.value)


# Functions


def test_a_thumbnail_fits_its_edge_and_keeps_its_shape(photo, tmp_path):
    pictures.shrink(str(photo), tmp_path / "small.jpg", 320)
    assert Image.open(tmp_path / "small.jpg").size == (320, 240)
    pictures.shrink(str(photo), tmp_path / "large.jpg", 1600)
    assert Image.open(tmp_path / "large.jpg").size == (800, 600), "nothing is made larger"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.jpg", "photo", "small.jpg"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_four_formats_are_pictures(kind):
    pictures.check(BytesIO(picture(kind, size=(9, 9))))


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PDF", "EPS"])
def test_other_formats_are_not(kind):
    assert reason(picture(kind, size=(9, 9))) == "not a JPEG, PNG, WebP or GIF picture"


def test_what_is_transparent_becomes_white(photo, tmp_path):
    Image.new("RGBA", (9, 9), (255, 0, 0, 0)).save(photo, "PNG")
    pictures.shrink(str(photo), tmp_path / "small.jpg", 320)
    assert min(Image.open(tmp_path / "small.jpg").getpixel((4, 4))) > 250


def test_a_photo_cut_short_leaves_nothing(photo, tmp_path):
    photo.write_bytes(photo.read_bytes()[:-2000])
    with pytest.raises(pictures.BadPicture, match=r"^damaged: "):
        pictures.shrink(str(photo), tmp_path / "new" / "small.jpg", 320)
    assert [path.name for path in tmp_path.iterdir()] == ["photo"]


# Tasks in this process


def test_apply_makes_one_size_where_nobody_looks(places):
    source, target, _ = places
    making = f"{target}.making"
    tasks.shrink.apply([str(source), str(target), making, "small"]).get()
    assert not target.exists()
    tasks.show.apply([str(source), str(target), making]).get()
    assert [path.name for path in target.parent.iterdir()] == ["1"]
    assert [path.name for path in target.iterdir()] == ["small.jpg"]


def test_what_comes_late_changes_nothing(places):
    source, target, _ = places
    target.mkdir(parents=True)
    (target / "small.jpg").touch()
    tasks.shrink.apply([str(source), str(target), f"{target}.making", "small"]).get()
    Path(f"{target}.making").mkdir()
    tasks.show.apply([str(source), str(target), f"{target}.making"]).get()
    assert [path.name for path in target.parent.iterdir()] == ["1"]
    assert (target / "small.jpg").stat().st_size == 0


def test_a_photo_that_was_removed_meanwhile_does_not_come_back(places):
    source, target, _ = places
    making = f"{target}.making"
    tasks.shrink.apply([str(source), str(target), making, "small"]).get()
    source.unlink()
    tasks.show.apply([str(source), str(target), making]).get()
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (pictures.BadPicture("damaged: x"), "damaged: x"),
        (OSError(28, "No space left", "/srv/secret"), "the studio could not work on it"),
    ],
)
def test_a_visitor_reads_a_reason_and_no_path_of_ours(places, error, text):
    failure = places[2]
    tasks.give_up(None, error, None, str(failure))
    assert failure.read_text() == text
    assert [path.name for path in failure.parent.iterdir()] == ["1"]


# A real worker


@pytest.fixture(scope="module")
def send(worker):
    """The task `make` of the album's app."""
    from album.celery import app

    return lambda places: app.tasks["thumbnails.tasks.make"].delay(*map(str, places))


def test_a_worker_makes_both_sizes(worker, send, places):
    send(places)
    target = places[1]
    wait_until(target.exists, "it is not ready", log=worker.log)
    assert sorted(path.name for path in target.iterdir()) == SIZES
    assert [path.name for path in target.parent.iterdir()] == ["1"]
    assert Image.open(target / "small.jpg").size == (320, 240)


def test_a_worker_writes_down_why_not(bench, worker, send, places):
    source, target, failure = places
    source.write_bytes(source.read_bytes()[:-2000])
    send(places)
    wait_until(failure.exists, "there is no reason", log=worker.log)
    assert failure.read_text().startswith("damaged: image file is truncated")
    wait_until(lambda: not bench.xray().unacked, "the worker has not finished")
    assert not target.parent.exists()
    assert [path.name for path in failure.parent.iterdir()] == ["1"]


# Another project


def test_tiny_makes_the_same_thumbnails(bench, worker, send, places, tmp_path):
    bench.worker("tiny")
    send(places)
    here = tmp_path / "tiny thumbnails"
    job = bench.run([sys.executable, "-m", "tiny", places[0], here])
    assert job.log() == "Sent by the app 'tiny' to the queue 'tiny'.\n"
    for folder in (places[1], here):
        wait_until(folder.exists, f"{folder} is not there")
    for size in SIZES:
        assert (here / size).read_bytes() == (places[1] / size).read_bytes()


@pytest.mark.parametrize(
    "path", sorted(CHAPTER.glob("thumbnails/*.py")), ids=lambda path: path.name
)
def test_thumbnails_know_no_project(path):
    known = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            known |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            known.add(node.module.split(".")[0])
    assert known.isdisjoint({"album", "tiny", "django"})
    assert known <= {*sys.stdlib_module_names, "celery", "PIL", "thumbnails"}
