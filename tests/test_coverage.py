"""`tutorials/coverage.md`: every number stands there once, and no page that is there owes anything.

That its links lead somewhere is checked with those of every page, in test_contract.py.
"""

import re

import pytest

from lab.chapters import ROOT

PAGE = (ROOT / "tutorials" / "coverage.md").read_text()


def rows(title):
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", part, re.M)


TITLES = [("What goes wrong", 63), ("What is taught elsewhere", 90)]


@pytest.mark.parametrize(("title", "count"), TITLES)
def test_every_number_stands_there_once_and_in_order(title, count):
    assert [int(number) for number, *_ in rows(title)] == list(range(1, count + 1))


@pytest.mark.parametrize(("title", "count"), TITLES)
def test_each_has_a_place_a_reason_or_a_page_that_is_still_to_come(title, count):
    for number, what, where in rows(title):
        owed = re.findall(r"owed: `([\w/-]+\.md)`", where)
        there = [page for page in owed if (ROOT / page).exists()]
        assert not there, f"{title}, {number} ({what}): {there} is there: link to it"
        assert "](" in where or owed or where.startswith("Not provoked: "), (
            f"{title}, {number} ({what}): link to where it is shown, or write 'owed: `PAGE.md`' "
            "or 'Not provoked: the reason'"
        )


def test_the_first_38_topics_belong_to_chapter_01():
    assert not [what for _, what, where in rows("What is taught elsewhere")[:38] if "owed" in where]
