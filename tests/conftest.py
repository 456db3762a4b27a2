"""The order of the tests: those that take longest begin first."""

LONGEST = ("test_notebooks.py", "test_pages.py", "test_experiments.py", "test_demo.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else 9)
