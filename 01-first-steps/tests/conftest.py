import sys
from pathlib import Path

import pytest

from lab import Bench

CHAPTER = Path(__file__).parent.parent
sys.path.insert(0, str(CHAPTER))


@pytest.fixture(scope="session", autouse=True)
def bench():
    """A bench with a broker and nothing else.

    Every test has it, used or not: an app that was touched without it would keep connections to
    port 6379, where a learner's own Redis may be.
    """
    with Bench(CHAPTER) as bench:
        yield bench


@pytest.fixture(scope="session")
def worker(bench):
    """A real worker for contact_sheet, on the broker of `bench`."""
    return bench.worker("contact_sheet", concurrency=2)
