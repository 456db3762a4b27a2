import pytest
from serving import Mailroom


@pytest.fixture(scope="session")
def mailroom(bench):
    """A mailroom that works: a polite mail server, gunicorn with two processes, and a worker."""
    return Mailroom(bench)


@pytest.fixture
def open_mailroom(new_bench):
    """Opens a mailroom with a broker of its own: `open_mailroom(RATE="5/second", workers=0)`.

    The words are those of `serving.Mailroom`. At the end of the test it is gone.
    """
    return lambda **options: Mailroom(new_bench(), **options)
