"""`lab demo`: two pictures at the end, nothing left behind at any end."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from PIL import Image

from lab.authoring.pages.terminal import CONTROL
from lab.bench import wait_until
from lab.chapters import ROOT
from tests.leftovers import hears_signals, still_there

LAB = [sys.executable, "-m", "lab.cli"]


@pytest.fixture
def photos(tmp_path):
    """Twelve photos that are quickly made and some work to shrink."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (1500, 1000), (20 * number, 100, 100)).save(folder / f"{number:02}.png")
    return folder


def start(tmp_path, *words):
    """Start `lab demo` with a TMPDIR of its own, in which its benches must leave nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [*LAB, "demo", *words],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=hears_signals,
    )
    return process, scratch


def finish(tmp_path, *words):
    process, scratch = start(tmp_path, *words)
    said, _ = process.communicate(timeout=300)
    assert not os.listdir(scratch)
    return process.returncode, said


def test_the_demo_makes_the_sheet_and_the_timeline_of_a_folder(photos, tmp_path):
    (photos / "notes.txt").write_text("no photo")
    code, said = finish(tmp_path, str(photos))
    assert code == 0, said
    assert Image.open(tmp_path / "demo" / "contact-sheet.jpg").size == (1040, 682)  # 4 x 3 places
    assert Image.open(tmp_path / "demo" / "timeline.png").width == 1500
    assert f"Left out: {photos / 'notes.txt'}: not a picture" in said
    assert "demo/contact-sheet.jpg" in said and "demo/timeline.png" in said
    assert "times as fast" in said
    assert "\x1b" not in said, "a pipe gets plain text"


def shape(line):
    """A line without what differs: numbers, the folder, how long a bar is."""
    line = re.sub(r"\S*/demo/photos", ".../demo/photos", line)
    line = re.sub(r"\d+(\.\d+)*", "N", line)
    return " ".join(re.sub(r"[━╸╺]+", "━", line).split())


@pytest.mark.takes(40)
def test_with_sample_photos_in_a_terminal_it_says_what_the_readme_shows(tmp_path):
    shown = re.search(r"```text\n(First steps.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    terminal = pexpect.spawn(
        LAB[0],
        [*LAB[1:], "demo"],
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=300,
        dimensions=(50, 100),
        env={**os.environ, "TERM": "xterm-256color"},
    )
    terminal.expect(pexpect.EOF)
    said = {shape(line) for line in re.split(r"[\r\n]+", CONTROL.sub("", terminal.before))}
    missing = [line for line in shown.splitlines() if line != "..." and shape(line) not in said]
    assert not missing, f"README.md shows what the demo does not say: {missing}\nIt said: {said}"
    assert len(os.listdir(tmp_path / "demo" / "photos")) == 49
    sheet = Image.open(tmp_path / "demo" / "contact-sheet.jpg")
    assert len(sheet.getcolors(10_000_000)) > 10_000, "a sheet of photos has many colours"


def test_pictures_never_land_among_the_photos(tmp_path, photos):
    code, said = finish(tmp_path, str(photos), "--out", str(photos / "demo"))
    assert code == 1
    assert "Choose another place:  --out FOLDER" in said
    assert not (photos / "demo").exists()


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_folder_or_no_photo_is_one_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    code, said = finish(tmp_path, str(tmp_path / name))
    assert code == 1
    assert {"missing": "does not exist", "empty": "There is no file in"}[name] in said
    assert "Traceback" not in said


def interrupt(tmp_path, photos, number, after):
    """Send a signal to `lab demo` at some moment, and wait until nothing of it is left."""
    process, scratch = start(tmp_path, str(photos))
    time.sleep(after)  # the random moment itself, not a wait for something
    process.send_signal(number)
    process.communicate(timeout=60)
    wait_until(
        lambda: not os.listdir(scratch) and not still_there(scratch),
        f"after signal {number} at {after:.2f} s something was left: "
        f"{os.listdir(scratch)} {still_there(scratch)}",
    )
    scratch.rmdir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_demo_interrupted_leaves_nothing(tmp_path, photos, number):
    interrupt(tmp_path, photos, number, random.uniform(0.5, 4))


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_demo_interrupted_twenty_times_leaves_nothing(tmp_path, photos, number):
    for _ in range(20):
        interrupt(tmp_path, photos, number, random.uniform(0, 7))


def test_ctrl_c_while_it_works_is_answered_in_a_word(tmp_path, photos):
    process, _ = start(tmp_path, str(photos))
    for line in process.stdout:
        if line.startswith("Workers:"):
            break
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert (said.strip(), process.returncode) == ("Aborted!", 1)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, photos):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere: run the tests as an ordinary user")
    Path(tmp_path / "locked").mkdir(mode=0o500)
    code, said = finish(tmp_path, str(photos), "--out", str(tmp_path / "locked" / "demo"))
    assert code == 1
    assert "cannot be written" in said
    assert "Traceback" not in said
