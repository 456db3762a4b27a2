import os
import re
from pathlib import Path

import pytest

from lab.bench import wait_until

CHAPTER = Path(__file__).parent.parent
# The last line of a beat that has nothing to do for two seconds and more. Its log level is DEBUG.
IDLE = re.compile(r"beat: Waking up in [2-5]\.\d+ seconds\.\s*\Z")


def wait_until_idle(beat):
    """A beat that is stopped while it sends can end with 1: its signal handler closes the
    connection that it sends by. One that waits ends with 0."""
    wait_until(lambda: IDLE.search(beat.log()), "beat is never idle", log=beat.log)


@pytest.fixture(scope="session")
def bench(bench):
    """The bench, with a folder of its own for the uploads."""
    uploads = bench.folder / "uploads"
    uploads.mkdir()
    os.environ["CLOCK_UPLOADS"] = str(uploads)
    return bench


@pytest.fixture(autouse=True)
def no_messages_left(bench):
    """What a test sends and nobody takes would be waiting for the worker of the next one."""
    yield
    bench.broker.client.delete("celery")


@pytest.fixture(scope="session")
def worker(bench):
    """A real worker of the clock."""
    return bench.worker("clock", concurrency=2)


@pytest.fixture
def redis(bench):
    """The bench's Redis, without anything that the clock or RedBeat keep in it."""
    client = bench.broker.client
    for key in [*client.scan_iter("clock:*"), *client.scan_iter("redbeat*")]:
        client.delete(key)
    return client


@pytest.fixture
def tasks(bench, redis):
    """The module clock.tasks. It is imported here: it reads its settings when it is imported."""
    from clock import tasks

    for path in tasks.UPLOADS.iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return tasks
