"""Every message of the catalogue is provoked, and every one is found again in a log."""

import os
import re
import subprocess
import sys

import pytest

from lab import chapters
from lab.chapters import ROOT
from lab.course import catalogue
from lab.course.matching import words

ENTRIES = catalogue.all_entries()
FILES = [(each, path) for each in chapters.all_chapters() for path in each.folder.glob("errors/*")]
FILES = [(chapter, path) for chapter, path in FILES if path.suffix == ".py"]


@pytest.mark.parametrize(
    ("chapter", "path"), FILES, ids=[f"{chapter.number}/{path.stem}" for chapter, path in FILES]
)
def test_every_message_is_printed(chapter, path):
    wrong = catalogue.not_provoked(chapter, path)
    assert not wrong, "\n\n".join(wrong)


def test_a_message_that_is_not_printed_any_more_is_found(tmp_path):
    (tmp_path / "wrong.py").write_text(
        "from lab.course.catalogue import provokes, raised\n\n"
        '@provokes("ValueError: ...", "ValueError: the sky is green")\n'
        'def sky(bench):\n    """# Sky\n\n## Why\n\nx\n\n## Fix\n\ny\n"""\n'
        '    return raised(lambda: float("blue"))\n'
    )
    [wrong] = catalogue.not_provoked(chapters.find("01"), tmp_path / "wrong.py")
    assert wrong.startswith("01/sky did not print:\nValueError: the sky is green\nIt printed:\n")
    assert "could not convert string to float: 'blue'" in wrong


# Searching

# What stands where a message has "...": others than where it was provoked.
VARIANTS = (
    "mailing.jobs.deliver",
    "10.20.30.40:7007",
    "4e1c7e9a-93a5-4e0b-8f5c-0d2b5b6f7a11",
    "17",
)

LINE = "[2027-01-05 03:14:{:02},159: INFO/MainProcess] Task shop.print_order[{}] received\n"
QUIET = [LINE.format(n, f"4e1c7e9a-93a5-4e0b-8f5c-0d2b5b6f7a{n:02}") for n in range(40)]

MESSAGES = [(entry, message) for entry in ENTRIES for message in entry.messages]


@pytest.mark.parametrize(
    ("entry", "message"), MESSAGES, ids=[f"{entry.name}-{text[:30]}" for entry, text in MESSAGES]
)
def test_an_entry_is_found_by_its_message_in_another_program(entry, message):
    variants = iter(VARIANTS * 3)
    said = re.sub(re.escape("..."), lambda _: next(variants), message)
    wrapped = said.replace(" ", "\n", 3)
    compose = "".join(f"worker-1  | {line}\n" for line in wrapped.splitlines())
    buried = "".join([*QUIET[:20], f"{wrapped}\n", *QUIET[20:]])
    for text in (said, wrapped, compose, buried):
        found = catalogue.find(text)
        assert found, f"nothing is found for:\n{text}"
        assert entry is found[0], f"{found[0].name} is found, not {entry.name}, for:\n{text}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the cat sat on the mat and looked at the moon",
        "ModuleNotFoundError: No module named 'requests'",
        "AttributeError: 'Flask' object has no attribute 'before_first_request'",
        "django.db.utils.OperationalError: no such table: auth_user",
        "".join(QUIET),
        "redis.exceptions.ResponseError: unknown command",
        "KeyError: 'photos'",
        "error",
    ],
)
def test_what_is_not_in_the_catalogue_finds_nothing(text):
    assert [entry.name for entry in catalogue.find(text)] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("never call result.get() within a task", "01/get_inside_a_task"),
        ("No module named packaging", "01/packaging_is_missing"),
        (
            "raised unexpected: EncodeError(TypeError('Object of type coroutine is not JSON "
            "serializable'))",
            "01/an_async_task",
        ),
        (
            "OperationalError('Error 61 connecting to redis:6379. Connection refused.')",
            "01/without_a_broker",
        ),
        ("_get_task_meta_for", "01/no_result_backend"),
        (
            "Can't retry shop.order[4e1c7e9a-93a5-4e0b-8f5c-0d2b5b6f7a11] args:(7,) kwa",
            "01/no_more_retries",
        ),
    ],
)
def test_a_few_words_or_other_punctuation_are_enough(text, name):
    assert catalogue.find(text)[0].name == name


# The command


def test_titles_and_names_are_not_used_twice():
    for given in ([each.title for each in ENTRIES], [each.name for each in ENTRIES]):
        assert len(set(given)) == len(given)


def lab_error(*text, **options):
    command = [sys.executable, "-m", "lab.cli", "error", *text]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), **options)


def test_the_command_explains_a_message():
    said = lab_error("celery.exceptions.TimeoutError: The operation timed out.")
    assert said.returncode == 0, said.stderr
    for part in ("does not get its result in time", "Why.", "Fix.", "See it: no_result_in_time"):
        assert part in words(said.stdout)
    assert "\x1b" not in said.stdout


@pytest.mark.parametrize("argument", [[], ["-"]])
def test_the_command_reads_a_log(argument):
    log = "".join(QUIET) + "celery.exceptions.TaskRevokedError: terminated\n"
    said = lab_error(*argument, input=log)
    assert "The task was stopped while it ran" in said.stdout, said.stderr


def test_a_message_that_is_not_there_is_answered_with_what_to_do():
    said = lab_error("the cat sat on the mat and looked at the moon")
    assert said.returncode == 1
    assert "tutorials/errors.md" in said.stderr and "lab xray" in said.stderr
    assert (ROOT / "tutorials" / "errors.md").exists()
