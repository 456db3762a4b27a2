"""What `make test CH=03` and `make changed` prove, and in which order tests begin."""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from lab.bench import wait_until
from lab.chapters import ROOT, all_chapters
from lab.testing.turns import ADDRESS, Turns, turn
from tests.__main__ import Session, list_failures, results_of
from tests.changed import scope_of

CHAPTERS = all_chapters()

# One test of each kind that the whole-course tests make for every chapter.
OF_EACH_CHAPTER = (
    "test_a_page_says_what_happens",
    "test_every_claim_holds",
    "test_the_starter_fails_with_a_sentence",
    "test_the_solution_passes",
    "test_every_message_is_printed",
    "test_a_notebook_runs_and_prints_what_is_committed",
    "test_nothing_is_missing_in_a_chapter",
    "test_internal_links_lead_somewhere",
    "test_an_example_imports_its_own_folder_and_its_requirements_only",
)


# One collection for all chapters: it takes seconds. It asks what `--chapter` asks of each test.
COLLECT = """
import pytest
from lab.chapters import all_chapters

class About:
    def pytest_collection_finish(self, session):
        [conftest] = [each for each in session.config.pluginmanager.get_plugins()
                      if hasattr(each, "is_about")]
        for chapter in all_chapters():
            for item in session.items:
                if any(conftest.is_about(v, chapter) for v in conftest.parameters(item)):
                    print(f"{chapter.name} {item.name}")

pytest.main(["--collect-only", "-qq", "-m", "not soak", "."], plugins=[About()])
"""


@pytest.fixture(scope="module")
def collected():
    """For each chapter the names of the whole-course tests that are about it."""
    command = [sys.executable, "-c", COLLECT]
    said = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True)
    found = {chapter.name: [] for chapter in CHAPTERS}
    for line in said.stdout.splitlines():
        name, _, test = line.partition(" ")
        if name in found:
            found[name].append(test)
    return found


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_alone_is_proved_with_all_that_the_whole_says_of_it(chapter, collected):
    said = "\n".join(collected[chapter.name])
    assert [name for name in OF_EACH_CHAPTER if f"{name}[" not in said] == []
    for page in chapter.pages:
        assert f"[{page.relative_to(ROOT)}]" in said
    # None of another chapter's: an id begins with a number, or holds the name of a folder.
    others = [each for each in CHAPTERS if each != chapter]
    for other in others:
        assert not re.search(rf"\[{other.number}/", said)
        assert other.name not in said


def test_a_change_in_a_chapter_is_proved_by_that_chapter():
    scope = scope_of(["03-flask/mailroom/tasks.py", "tutorials/03-flask.ipynb"])
    assert ([each.name for each in scope.chapters], scope.course) == (["03-flask"], False)
    assert "01-first-steps, 02-django, 04-beat, 05-production" in scope.left_out[0]


def test_a_change_outside_of_the_chapters_is_proved_by_everything():
    scope = scope_of(["03-flask/README.md", "lab/bench/bench.py"])
    assert (len(scope.chapters), scope.course, scope.left_out) == (len(CHAPTERS), True, [])
    assert "lab/bench/bench.py" in scope.what


def test_a_change_of_a_page_is_proved_without_the_examples():
    scope = scope_of(["README.md", "04-beat/README.md"])
    assert ([each.name for each in scope.chapters], scope.course) == (["04-beat"], True)


def test_the_workflow_has_a_job_for_each_chapter():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    [listed] = re.findall(r"chapter: \[(.+)\]", workflow)
    assert listed == ", ".join(f'"{chapter.number}"' for chapter in CHAPTERS)


# Turns


@pytest.fixture
def turns(monkeypatch):
    """One turn at a time. This process finds the queue, and forgets it afterwards."""
    turns = Turns(1)
    monkeypatch.setenv(ADDRESS, turns.address)
    monkeypatch.setattr("lab.testing.turns._found", None)
    yield turns
    turns.close()


def test_the_longest_goes_first(turns):
    order, threads = [], []

    def take(seconds):
        with turn(seconds):
            order.append(seconds)

    with turn(1):
        for seconds in (2, 60, 10):
            threads.append(threading.Thread(target=take, args=[seconds]))
            threads[-1].start()
        wait_until(lambda: len(turns.waiting) == 3, "not all of them wait")
    for thread in threads:
        thread.join(60)
    assert order == [60, 10, 2]


def test_a_turn_ends_with_its_process(turns):
    script = "from lab.testing.turns import turn\nwith turn(1): print(flush=True); input()"
    environment = {**os.environ, ADDRESS: turns.address}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, **pipes) as other:
        assert other.stdout.readline() == b"\n"
        assert turns.free == 0
        other.send_signal(signal.SIGKILL)
    wait_until(lambda: turns.free == 1, "the turn of a dead process is not free")


def test_without_a_queue_nobody_waits(monkeypatch):
    monkeypatch.delenv(ADDRESS, raising=False)
    monkeypatch.setattr("lab.testing.turns._found", None)
    with turn(1):
        pass


# What is said at the end


def test_what_failed_stands_at_the_end_with_its_reason(tmp_path, capsys):
    (tmp_path / "test_a.py").write_text(
        "def test_good(): pass\ndef test_bad(): assert 'red' == 'green'\n"
    )
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]
    subprocess.run([*command, tmp_path, f"--junitxml={report}", tmp_path], capture_output=True)
    results = results_of(Session(ROOT / "tests", 1, []), report)
    list_failures(results)
    said = capsys.readouterr().out
    assert [each.outcome for each in results] == ["passed", "failed"]
    assert "Failed: the rest: test_a.py::test_bad" in said
    assert "AssertionError: assert 'red' == 'green'" in said
    assert "test_good" not in said.partition("test_bad")[0]
