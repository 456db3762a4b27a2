import os
import sys
from pathlib import Path

import pytest

from lab import Bench

CHAPTER = Path(__file__).parent.parent
sys.path.insert(0, str(CHAPTER))


@pytest.fixture(scope="session", autouse=True)
def bench():
    """A bench with a broker, and a folder of its own for the uploads.

    Every test has it, used or not: an app that was touched without it would keep connections to
    port 6379, where a learner's own Redis may be.
    """
    with Bench(CHAPTER) as bench:
        uploads = bench.folder / "uploads"
        uploads.mkdir()
        os.environ["CLOCK_UPLOADS"] = str(uploads)
        yield bench


@pytest.fixture
def redis(bench):
    """The bench's Redis, with nothing in it."""
    bench.broker.client.flushall()
    return bench.broker.client
