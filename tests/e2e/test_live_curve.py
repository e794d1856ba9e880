"""A person opens the page of a project while it trains, and sees the curve grow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.live import live_server, wait_until
from tests.e2e.training import PROJECT, expected_points, read_points, training

pytestmark = pytest.mark.e2e
METRIC = "train/loss"
PATIENCE_S = 60
# The steps that are drawn.
STEPS = (
    f"""[...document.querySelector('metric-chart[data-metric="{METRIC}"]')?.plot?.data[0] ?? []]"""
)


class Watcher:
    """A page with somebody in front of it who notes what should not happen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.loads = 0
        self.addresses: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("load", lambda _: setattr(self, "loads", self.loads + 1))
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: object) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def steps(self) -> list[int]:
        return list(self.page.evaluate(STEPS))

    def wait_for_steps(self, count: int) -> None:
        wait_until(lambda: len(self.steps()) >= count, PATIENCE_S, f"{count} steps are drawn")


@pytest.fixture
def watcher(browser: Browser) -> Iterator[Watcher]:
    page = browser.new_page()
    yield Watcher(page)
    page.close()


def test_curve_grows_without_a_reload(watcher: Watcher, tmp_path: Path) -> None:
    steps = 150
    with (
        live_server() as server,
        training(server.url, tmp_path, steps=steps, pause_s=0.05) as job,
    ):
        job.wait_for_step(1)
        watcher.page.goto(f"{server.url}/projects/{PROJECT}")
        watcher.wait_for_steps(2)
        seen = len(watcher.steps())
        watcher.wait_for_steps(seen + 20)
        watcher.wait_for_steps(seen + 40)
        is_training = job.process.poll() is None
        watcher.wait_for_steps(steps)

        assert is_training, "the curve was to be seen growing, not loaded when it was whole"
        assert watcher.steps() == list(range(steps))
        expect(watcher.page.locator(".run-row")).to_contain_text(
            "completed", ignore_case=True, timeout=PATIENCE_S * 1000
        )
        assert watcher.loads == 1
        assert watcher.errors == []
        foreign = [url for url in watcher.addresses if not url.startswith(f"{server.url}/")]
        assert foreign == []


def test_curve_goes_on_after_the_server_was_killed(watcher: Watcher, tmp_path: Path) -> None:
    steps = 400
    with (
        live_server() as server,
        training(server.url, tmp_path, steps=steps, pause_s=0.02) as job,
    ):
        job.wait_for_step(1)
        watcher.page.goto(f"{server.url}/projects/{PROJECT}")
        watcher.wait_for_steps(20)
        server.kill()
        job.wait_for_step(job.logged + 50)
        server.restart()
        watcher.wait_for_steps(steps)

        assert watcher.steps() == list(range(steps))
        assert watcher.loads == 1
        assert read_points(server) == expected_points(steps)
