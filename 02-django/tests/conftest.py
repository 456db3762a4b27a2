import os

import pytest


@pytest.fixture(scope="session")
def bench(bench):
    """The bench, with a place of its own for uploads and the secret key."""
    os.environ["ALBUM_DATA"] = str(bench.folder / "data")
    os.environ["DJANGO_SETTINGS_MODULE"] = "album.settings"
    return bench


@pytest.fixture(scope="session")
def worker(bench):
    """A real worker of the album."""
    return bench.worker("album", concurrency=2)
