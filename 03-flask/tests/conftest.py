import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import Bench

CHAPTER = Path(__file__).parent.parent
sys.path.insert(0, str(CHAPTER))


@pytest.fixture(scope="session", autouse=True)
def bench():
    """A bench with a broker.

    Every test has it, used or not: an app that was touched without it would keep connections to
    port 6379, where a learner's own Redis may be.
    """
    with Bench(CHAPTER) as bench:
        yield bench


@pytest.fixture(scope="session")
def mailroom(bench):
    """A mailroom that works: a polite mail server, gunicorn with two processes, and a worker."""
    from serving import Mailroom

    return Mailroom(bench)


@pytest.fixture
def open_mailroom(bench):
    """Opens a mailroom with a broker of its own: `open_mailroom(RATE="5/second", workers=0)`.

    The words are those of `serving.Mailroom`. At the end of the test it is gone.
    """
    from serving import Mailroom

    with ExitStack() as stack:
        yield lambda **options: Mailroom(stack.enter_context(Bench(CHAPTER)), **options)
