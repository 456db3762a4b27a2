from collections.abc import Iterator

import pytest
from serving import Here, Obedient, open_shop

from lab import Bench


@pytest.fixture(scope="session")
def busy(chapter) -> Iterator[Bench]:
    """A bench for the shop with workers."""
    with Bench(chapter.folder) as bench:
        yield bench


@pytest.fixture(scope="session")
def bench(busy, bench):
    """A bench without workers: what a test sends stays in its queue.

    What this process imports and sends belongs to this one, which began after `busy`.
    """
    return bench


@pytest.fixture(scope="session")
def shop(busy, bench):
    """A shop that works: the API, a worker with two processes, a provider that obeys the test."""
    return open_shop(busy)


@pytest.fixture
def another_shop(new_bench):
    """Opens a shop on a bench of its own: `another_shop(workers=2, folder=edit)`.

    The words are those of `serving.open_shop`, and `edit` is one for `Bench.copy`. At the end of
    the test it is gone.
    """

    def open_another(edit=None, **options):
        bench = new_bench()
        return open_shop(bench, folder=bench.copy(edit) if edit else None, **options)

    return open_another


@pytest.fixture
def here(bench, tmp_path, monkeypatch):
    """The shop's modules in this process, with folders of their own: `here.orders`, `here.tasks`.

    `here.sent()` says which tasks were sent, and to which queue. They are imported in a fixture,
    not by the test file: Celery reads its settings when it is imported.
    """
    here = Here(bench, tmp_path)
    monkeypatch.setattr(here.orders, "ORDERS", here.folder)
    monkeypatch.setattr(here.tasks, "SPOOL", here.spool)
    yield here
    bench.broker.client.delete("urgent", "normal", "bulk")


@pytest.fixture
def provider(here, tmp_path, monkeypatch):
    """A provider in this process, which charges for the modules of `here`, and obeys the test."""
    with Obedient(tmp_path / "ledger.jsonl") as provider:
        monkeypatch.setattr(here.payments, "PROVIDER", provider.url)
        yield provider
