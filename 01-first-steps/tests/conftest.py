import pytest


@pytest.fixture(scope="session")
def worker(bench):
    """A real worker for contact_sheet, on the broker of `bench`."""
    return bench.worker("contact_sheet", concurrency=2)
