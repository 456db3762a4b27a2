"""What holds for every test run of the course, a chapter's or the whole."""

import os
import signal

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes minutes; run by `make soak`")
    config.addinivalue_line("markers", "alone: measures speed; `make test` runs it after the rest")
    # A run that was started in the background ignores Ctrl-C, and what it starts would as well.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    from_root = config.invocation_params.dir == config.rootpath
    if from_root and config.args_source is not pytest.Config.ArgsSource.ARGS:
        raise pytest.UsageError(
            "Each chapter is a test run of its own: `make test` runs all of them, "
            "`make test CH=01` one, and so does `cd 01-first-steps && pytest`."
        )


def pytest_collection_modifyitems(config, items):
    """Leave out what takes minutes, unless it was asked for."""
    if config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
    items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI nothing is skipped: what a test needs, CI installs."""
    report = yield
    if report.skipped and os.environ.get("LAB_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although LAB_NO_SKIPS is set: {report.longrepr[-1]}"
    return report
