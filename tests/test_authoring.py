"""`lab new` and `lab dev check`: what a contributor gets, and is told."""

import dataclasses
import shutil
import subprocess
import sys

import pytest

from lab.authoring import checks, drafts
from lab.chapters import find
from lab.course import exercises


@pytest.fixture
def chapter(tmp_path):
    """A copy of chapter 01 that can be broken."""
    real = find("01")
    shutil.copytree(real.folder, tmp_path / real.name, ignore=shutil.ignore_patterns("__pycache__"))
    return dataclasses.replace(real, folder=tmp_path / real.name)


def said(chapter):
    return [each.removeprefix(f"{chapter.folder}/") for each in checks.of_chapter(chapter)]


def test_nothing_is_missing_in_a_copy(chapter):
    assert said(chapter) == []


EXERCISE = "exercises/1_first_task"
BROKEN = [
    ("experiments/done_and_failed.py", "- [x]", "- [ ]", "the part Predict needs three choices"),
    ("experiments/done_and_failed.py", "def claims(", "def clams(", "no function claims(rows)"),
    ("experiments/done_and_failed.py", "## Why\n", "## Why\nTODO: a\n", "15: TODO: a ..."),
    ("experiments/done_and_failed.py", "## Why", "## Because", "It needs '## ' headings in this"),
    ("experiments/done_and_failed.py", "\ndef run", "\nimport x.y\ndef run", "cannot be imported"),
    ("errors/sending.py", "## Fix", "## Repair", "It needs '## ' headings in this order: Why, Fix"),
    (f"{EXERCISE}/hints.md", "## ", "### ", "it has 0 hints. Write three or more"),
    (f"{EXERCISE}/README.md", "minutes.", "min.", "it does not say how long it takes"),
    (f"{EXERCISE}/captions.py", "TODO", "to do", "no file of the starter has a TODO"),
    ("going-further.md", "takes 70 minutes", "takes long", "write 'This page takes N minutes'"),
    ("README.md", "| 75 |", "| 57 |", "a row for #exercises that ends '| 75 |'"),
    ("README.md", "Stop it, in terminal 2:", "Stop it:", "say that it is typed in terminal 2"),
    ("README.md", "Look at terminal 2:", "Look there:", "say that it is printed in terminal 2"),
    ("going-further.md", "a first task, in `studio/tasks.py`", "a task", "name the file, studio/t"),
    ("README.md", "| Write a task of your own |", "| Write |", "out of date. Type: lab tables"),
    ("README.md", 'tables.experiments("01")', "", 'write <!-- [[[cog tables.experiments("01")'),
]


@pytest.mark.parametrize(("file", "old", "new", "sentence"), BROKEN)
def test_what_is_missing_is_a_sentence_with_the_file(chapter, file, old, new, sentence):
    path = chapter.folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    found = [each for each in said(chapter) if sentence in each]
    assert len(found) == 1, said(chapter)
    assert found[0].startswith(file) or file.startswith(found[0].partition(":")[0])


@pytest.mark.parametrize(
    "file",
    [
        "experiments/notes.txt",
        "errors/a.md",
        "exercises/x.py",
        f"{EXERCISE}/x.txt",
        "solutions/9_x",
    ],
)
def test_a_stray_file_is_found(chapter, file):
    (chapter.folder / file).write_text("")
    [sentence] = said(chapter)
    assert sentence.startswith(f"{file}: ")


def test_a_solution_that_is_its_starter_is_found(chapter):
    ours = chapter.folder / "solutions" / "1_first_task" / "captions.py"
    shutil.copy(chapter.folder / EXERCISE / "captions.py", ours)
    assert said(chapter) == [
        "solutions/1_first_task/captions.py: it is the same as its starter. Solve the TODO."
    ]


@pytest.mark.parametrize("make", [drafts.experiment, drafts.exercise, drafts.error])
def test_a_draft_is_whole_and_the_checks_say_what_is_to_be_written(chapter, make):
    files = make(chapter, "the_question")
    missing = said(chapter)
    for file in files:
        mine = [each for each in missing if each.startswith(str(file.relative_to(chapter.folder)))]
        starter = file.name == "task.py" and "exercises" in file.parts
        assert bool(mine) != starter, missing
        assert all("TODO" in each for each in mine), mine
        if file.suffix == ".py":
            compile(file.read_text(), file.name, "exec")
    with pytest.raises(drafts.NoDraft, match="Choose another name"):
        make(chapter, "the_question")


def test_a_draft_of_an_exercise_gets_the_next_number(chapter):
    drafts.exercise(chapter, "the_task")
    assert exercises.of_chapter(chapter)[-1].name == "01/7"
    assert any("nothing about 01/7. Add to its MISTAKES" in each for each in said(chapter))


def test_a_draft_of_an_experiment_starts_a_worker_of_its_chapter():
    chapter = find("03")
    assert drafts.usual_app(chapter) == "make_celery"


def lab(*words):
    return subprocess.run(
        [sys.executable, "-m", "lab.cli", *words], capture_output=True, text=True, check=False
    )


def test_a_name_that_is_none_is_refused():
    assert "is not a name. Write small letters" in lab("new", "error", "01/A-b").stderr
    assert "lab new error 03/a_b" in lab("new", "error", "a_b").stderr
    assert "There is no chapter '99'" in lab("new", "error", "99/a").stderr


def test_dev_check_looks_at_one_chapter():
    done = lab("dev", "check", "01")
    assert (done.stdout, done.returncode) == ("Nothing is missing.\n", 0), done.stderr
