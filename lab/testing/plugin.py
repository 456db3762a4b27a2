"""The pytest plugin of the course. `pyproject.toml` names it, so that every folder has it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from typing import Any

import pytest

from lab.testing.turns import turn


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes minutes; run by `make soak`")
    config.addinivalue_line("markers", "alone: measures speed; `make test` runs it after the rest")
    config.addinivalue_line("markers", "takes(seconds): long ones begin before short ones")
    # A run that was started in the background ignores Ctrl-C, and what it starts would as well.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    from_root = config.invocation_params.dir == config.rootpath
    if from_root and config.args_source is not pytest.Config.ArgsSource.ARGS:
        raise pytest.UsageError(
            "Each chapter is a test run of its own: `make test` runs all of them, "
            "`make test CH=01` one, and so does `cd 01-first-steps && pytest`."
        )


def seconds(item: pytest.Item) -> float:
    """How long a test takes, roughly: what its marker says."""
    marker = item.get_closest_marker("takes")
    return float(marker.args[0]) if marker else 1.0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first. What takes minutes is left out, unless it was asked for."""
    if not config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=seconds, reverse=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outside of the time limit: waiting costs nothing
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    with turn(seconds(item)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: what a test needs, CI installs."""
    report = yield
    if report.skipped and os.environ.get("LAB_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although LAB_NO_SKIPS is set: {report.longrepr[-1]}"  # type: ignore[index]
    return report
