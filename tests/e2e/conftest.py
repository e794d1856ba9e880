"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.chart_reader import Reader
from tests.e2e.live import LiveServer

CHROMIUM = "/usr/bin/chromium"  # Debian's, which `make browser` installs
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")  # its event loop would get in the way of asynchronous tests
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def reader(browser: Browser, server: LiveServer) -> Iterator[Reader]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    reader = Reader(page, server)
    yield reader
    assert reader.errors == []
    assert [url for url in reader.addresses if not url.startswith(f"{server.url}/")] == []
    page.close()
