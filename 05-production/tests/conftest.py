import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import Bench

CHAPTER = Path(__file__).parent.parent
sys.path.insert(0, str(CHAPTER))


@pytest.fixture(scope="session", autouse=True)
def benches():
    """Two benches. In one there is a shop with workers, in the other nobody takes a message.

    Every test has them, used or not: an app that was touched without them would keep connections
    to port 6379, where a learner's own Redis may be. What this process imports and sends belongs
    to the second one.
    """
    with Bench(CHAPTER) as busy, Bench(CHAPTER) as quiet:
        yield busy, quiet


@pytest.fixture(scope="session")
def bench(benches):
    """A bench without workers: what a test sends stays in its queue."""
    return benches[1]


@pytest.fixture(scope="session")
def shop(benches):
    """A shop that works: the API, a worker with two processes, a provider that obeys the test."""
    from serving import open_shop

    return open_shop(benches[0])


@pytest.fixture
def another_shop():
    """Opens a shop on a bench of its own: `another_shop(workers=2, folder=edit)`.

    The words are those of `serving.open_shop`, and `edit` is one for `Bench.copy`. At the end of
    the test it is gone.
    """
    from serving import open_shop

    with ExitStack() as stack:

        def open_another(edit=None, **options):
            bench = stack.enter_context(Bench(CHAPTER))
            folder = bench.copy(edit) if edit else None
            return open_shop(bench, folder=folder, **options)

        yield open_another


@pytest.fixture
def here(bench, tmp_path, monkeypatch):
    """The shop's modules in this process, with folders of their own: `here.orders`, `here.tasks`.

    `here.sent()` says which tasks were sent, and to which queue. They are imported in a fixture,
    not by the test file: Celery reads its settings when it is imported.
    """
    from serving import Here

    here = Here(bench, tmp_path)
    monkeypatch.setattr(here.orders, "ORDERS", here.folder)
    monkeypatch.setattr(here.tasks, "SPOOL", here.spool)
    yield here
    bench.broker.client.delete("urgent", "normal", "bulk")


@pytest.fixture
def provider(here, tmp_path, monkeypatch):
    """A provider in this process, which charges for the modules of `here`, and obeys the test."""
    from serving import Obedient

    with Obedient(tmp_path / "ledger.jsonl") as provider:
        monkeypatch.setattr(here.payments, "PROVIDER", provider.url)
        yield provider
