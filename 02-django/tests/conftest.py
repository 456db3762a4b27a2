import os
import sys
from pathlib import Path

import pytest

from lab import Bench

CHAPTER = Path(__file__).parent.parent
sys.path.insert(0, str(CHAPTER))


@pytest.fixture(scope="session", autouse=True)
def bench():
    """A bench with a broker, and a place of its own for uploads and the secret key.

    Every test has it, used or not: an app that was touched without it would keep connections to
    port 6379, where a learner's own Redis may be.
    """
    with Bench(CHAPTER) as bench:
        os.environ["ALBUM_DATA"] = str(bench.folder / "data")
        os.environ["DJANGO_SETTINGS_MODULE"] = "album.settings"
        yield bench


@pytest.fixture(scope="session")
def worker(bench):
    """A real worker of the album."""
    return bench.worker("album", concurrency=2)
