"""Every page of a chapter is played, and its tables name what is in the folders."""

import re
import subprocess
import sys

import pytest

from lab.authoring import netns
from lab.authoring.pages.fences import Page
from lab.chapters import ROOT, all_chapters
from lab.commands import doctor
from lab.course import exercises, experiments

CHAPTER = {page: chapter for chapter in all_chapters() for page in chapter.pages}
PAGES = list(CHAPTER)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

# Fences that are there to be read only. This number only shrinks.
NOT_RUN = 0


@pytest.mark.takes(60)
@pytest.mark.timeout(900)  # it has a deadline for each step
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_says_what_happens(page):
    """In a network of its own, where port 6379 is free whatever runs on this machine."""
    if not netns.available():
        pytest.skip("this system allows no network namespaces")
    for tool in doctor.OPTIONAL:
        if tool.name in CHAPTER[page].needs and not tool.path():
            pytest.skip(f"{tool.name} is not here. {doctor.install(tool)}")
    command = [sys.executable, "-m", "lab.cli", "page", str(page)]
    played = subprocess.run(command, capture_output=True, text=True)
    assert played.returncode == 0, f"\n{played.stdout}{played.stderr}"


def test_what_is_not_run_is_counted_and_has_a_reason():
    fences = [fence for page in PAGES for fence in Page.read(page).not_run]
    assert all(fence.options["not-run"] for fence in fences)
    assert len(fences) == NOT_RUN


@pytest.mark.parametrize("chapter", all_chapters(), ids=lambda each: each.name)
def test_the_table_of_experiments_names_those_in_the_folder(chapter):
    page = (chapter.folder / "README.md").read_text()
    rows = dict(re.findall(r"^\| \[([\w/]+)\]\(experiments/\w+\.py\) \| (.+) \|$", page, re.M))
    found = {
        each.name: each.story["title"]
        for each in experiments.all_experiments()
        if each.chapter == chapter
    }
    assert rows == found, "write a row '| [name](experiments/file.py) | title |' for each"


@pytest.mark.parametrize("chapter", all_chapters(), ids=lambda each: each.name)
def test_the_table_of_exercises_names_those_in_the_folder(chapter):
    page = (chapter.folder / "README.md").read_text()
    rows = re.findall(r"^\| \[(\d\d/\d)\]\((\S+)\) \| (.+) \| (\d+) \|$", page, re.M)
    found = []
    for each in exercises.all_exercises():
        if each.chapter == chapter:
            readme = each.folder / "README.md"
            minutes = re.search(r"(\d+) minutes\.", readme.read_text())
            place = str(readme.relative_to(chapter.folder))
            found.append((each.name, place, each.title, minutes[1]))
    assert rows == found, "write a row '| [name](exercises/.../README.md) | title | minutes |'"
