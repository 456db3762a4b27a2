"""`tutorials/coverage.md`: every number stands there once, or in `owed.md` of this folder.

That its links lead somewhere is checked with those of every page, in test_contract.py.
"""

import re

import pytest

from lab.chapters import ROOT

SHOWN = (ROOT / "tutorials" / "coverage.md").read_text()
OWED = (ROOT / "tests" / "owed.md").read_text()


def rows(page, title):
    part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [
        (int(number), what, where)
        for number, what, where in re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", part, re.M)
    ]


TITLES = [("What goes wrong", 63), ("What is taught elsewhere", 90)]


@pytest.mark.parametrize(("title", "count"), TITLES)
def test_every_number_is_shown_or_owed_and_they_are_in_order(title, count):
    shown = [number for number, *_ in rows(SHOWN, title)]
    owed = [number for number, *_ in rows(OWED, title)]
    for numbers in (shown, owed):
        assert numbers == sorted(set(numbers))
    assert {*shown, *owed} == set(range(1, count + 1))


@pytest.mark.parametrize(("title", "count"), TITLES)
def test_what_is_shown_has_a_place_or_a_reason(title, count):
    for number, what, where in rows(SHOWN, title):
        assert "](" in where or where.startswith("Not provoked: "), (
            f"{title}, {number} ({what}): link to where it is shown, write 'Not provoked: the "
            "reason', or put it into tests/owed.md"
        )


@pytest.mark.parametrize(("title", "count"), TITLES)
def test_nothing_is_owed_by_a_page_that_is_there(title, count):
    for number, what, where in rows(OWED, title):
        pages = re.findall(r"`([\w/-]+\.md)`", where)
        there = [page for page in pages if (ROOT / page).exists()]
        assert pages and not there, f"{title}, {number} ({what}): {there} is there: link to it"


def test_the_first_38_topics_belong_to_chapter_01():
    assert min(number for number, *_ in rows(OWED, "What is taught elsewhere")) > 38
