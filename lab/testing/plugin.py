"""The pytest plugin of the course. `pyproject.toml` names it, so that every folder has it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.bench import Bench
from lab.chapters import Chapter, NoChapter, of_folder
from lab.testing.turns import turn


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes minutes; run by `make soak`")
    config.addinivalue_line("markers", "alone: measures speed; `make test` runs it after the rest")
    config.addinivalue_line("markers", "takes(seconds): long ones begin before short ones")
    # A run that was started in the background ignores Ctrl-C, and what it starts would as well.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    here = config.invocation_params.dir
    from_root = here == config.rootpath
    if from_root and config.args_source is not pytest.Config.ArgsSource.ARGS:
        raise pytest.UsageError(
            "Each chapter is a test run of its own: `make test` runs all of them, "
            "`make test CH=01` one, and so does `cd 01-first-steps && pytest`."
        )
    if is_chapter(here):
        sys.path.insert(0, str(here))  # a test imports the example


def is_chapter(folder: Path) -> bool:
    """Whether a session that was started in this folder tests a chapter."""
    try:
        return bool(of_folder(folder))
    except NoChapter:
        return False


# What the tests of a chapter share


@pytest.fixture(scope="session")
def chapter(request: pytest.FixtureRequest) -> Chapter:
    """The chapter whose tests these are: pytest was started in its folder."""
    return of_folder(request.config.invocation_params.dir)


@pytest.fixture(scope="session")
def bench(chapter: Chapter) -> Iterator[Bench]:
    """A bench with a broker and nothing else. All tests of a process share it."""
    with Bench(chapter.folder) as bench:
        yield bench


@pytest.fixture(scope="session", autouse=True)
def never_without_a_bench(request: pytest.FixtureRequest) -> None:
    """Every test of a chapter has a bench, used or not: an app that was touched without one would
    keep connections to port 6379, where a learner's own Redis may be."""
    if is_chapter(request.config.invocation_params.dir):
        request.getfixturevalue("bench")


@pytest.fixture
def new_bench(chapter: Chapter) -> Iterator[Callable[..., Bench]]:
    """Starts further benches, `new_bench(broker_options=...)`, which end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Bench(chapter.folder, **options))


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
