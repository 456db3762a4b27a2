"""Every page of a chapter is played, and its tables are made from the folders."""

import subprocess
import sys

import pytest

from lab.authoring import netns, tables
from lab.authoring.pages.fences import Page
from lab.chapters import ROOT, all_chapters
from lab.commands import doctor

CHAPTER = {page: chapter for chapter in all_chapters() for page in chapter.pages}
PAGES = list(CHAPTER)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

# Fences that are there to be read only. This number only shrinks.
NOT_RUN = 0


@pytest.mark.takes(60)
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


@pytest.mark.parametrize("page", tables.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_and_lists_are_those_of_the_folders(page):
    assert not list(tables.out_of_date([page])), f"{page} is out of date. Type:  lab tables"


def test_a_table_that_is_out_of_date_is_found_and_written(tmp_path):
    page = tmp_path / "page.md"
    page.write_text('<!-- [[[cog tables.tasks("01") ]]] -->\nold\n<!-- [[[end]]] -->\n')
    assert list(tables.out_of_date([page])) == [page]
    page.write_text(tables.made(page))
    assert "| [01/1](exercises/1_first_task/README.md) | Write a task" in page.read_text()
    assert not list(tables.out_of_date([page]))
