"""A real browser for the tests of pages: Chromium of the system, through Playwright."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from lab.machine import BROWSERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 60_000  # milliseconds: how long the browser waits for what is claimed
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

OPTIONS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-sandbox",  # a container has no room for one. It sees our own pages only
    # The browser may look for its maker's servers. It finds nobody.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window. Where it is missing, the test is skipped."""
    from playwright.sync_api import expect, sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        mac = platform.system() == "Darwin"
        command = "brew install --cask chromium" if mac else "sudo apt install chromium"
        pytest.skip(f"Chromium is not here. Install it:  {command}")
    expect.set_options(timeout=SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=OPTIONS, timeout=3 * SECONDS
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser that has never been there: `open_page(url, script="...")`.

    `script` runs before those of the page; the other options are those of Playwright's
    `new_context`. An error on a page, and a request to somebody else, fail
    the test at its end.
    """
    contexts: list[Any] = []
    trouble: list[str] = []

    def open_page(url: str, *, script: str = "", **options: Any) -> Page:
        site = "/".join(url.split("/")[:3]) + "/"
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        context.set_default_timeout(SECONDS)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"error on the page: {error}"))
        page.on("console", lambda said: complain(said) if said.type == "error" else None)
        page.on("request", lambda request: check(request.url, site))
        # From now on no window to choose files opens: it takes a moment until the browser obeys.
        page.on("filechooser", lambda chooser: None)
        page.goto(url)
        return page

    def complain(said: Any) -> None:
        if "the server responded with a status of" not in said.text:  # a 404 that was asked for
            trouble.append(f"the browser complains: {said.text}")

    def check(url: str, site: str) -> None:
        if not url.startswith((site, "data:")):
            trouble.append(f"a request to somebody else: {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []
