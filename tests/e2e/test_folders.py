"""A person finds a run by its folders, and reads the rows it has logged."""

import math
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.live import LiveServer, live_server
from tests.e2e.plain_job import PlainJob

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        PlainJob(server.url, "plain").event("finish", status="completed")
        for folder in ("sweeps/lr", "sweeps/batch", "ablations"):
            log_run(server.url, folder)
        yield server


def log_run(url: str, folder: str) -> None:
    path = {"namespace": "local", "project_name": "proj", "folder": folder, "name": "exp"}
    job = PlainJob(url, "exp", source="ml_dash", readme="# About", **path)
    for step in range(3):
        loss = math.nan if step == 2 else 1 / (step + 1)
        job.event("row", stream="train", fields={"loss": loss, "word": f"step {step}"})
    job.event("row", stream="eval", fields={"acc": 0.5})
    job.event("log", level="warn", message="hot", metadata={"grad_norm": 12.5})
    job.event("finish", status="completed")


@pytest.fixture
def page(browser: Browser, server: LiveServer) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, base_url=server.url)
    page.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert problems == []
    page.close()


def test_a_folder_keeps_the_view_of_the_charts(page: Page) -> None:
    page.goto("/projects/proj")
    expect(page.locator("#run-list .run-row")).to_have_count(4)
    page.evaluate("history.replaceState(null, '', '?smooth=0.5')")

    page.locator(".folder-link", has_text="sweeps").click()

    expect(page.locator("#run-list .run-row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"\?smooth=0\.5&folder=sweeps$"))
    page.wait_for_load_state()  # what is typed before the scripts listen is not heard
    page.locator("#search input").fill("name = exp and folder ~ lr")
    expect(page.locator("#run-list .run-row")).to_have_count(1)
    expect(page).to_have_url(re.compile("folder=sweeps"))
    page.locator(".crumb", has_text="proj").click()
    expect(page.locator("#run-list .run-row")).to_have_count(4)


def test_all_that_match_in_a_folder_are_no_others(page: Page) -> None:
    page.goto("/projects/proj/runs?folder=sweeps")

    expect(page.locator("#run-table tbody tr")).to_have_count(2)
    assert page.locator("#bulk input[name=folder]").input_value() == "sweeps"


def test_rows_are_read_on_the_page_of_a_run(page: Page) -> None:
    page.goto("/projects/proj/runs/sweeps~lr~exp")
    page.locator("#run-rows").scroll_into_view_if_needed()
    expect(page.locator("#run-rows .stream[aria-current]")).to_have_text("eval 1")

    page.locator("#run-rows .stream", has_text="train").click()

    rows = page.locator("#run-rows tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("NaN")
    page.locator("#run-rows thead a", has_text="loss").click()
    expect(page).to_have_url(re.compile(r"\?metric=train%2Floss#charts$"))
    expect(page.locator("metric-chart")).to_have_count(1)


def test_metadata_of_a_log_line_opens(page: Page) -> None:
    page.goto("/projects/proj/runs/ablations~exp/logs?level=warn")

    page.locator(".log-metadata summary", has_text="grad_norm=12.5").click()

    expect(page.locator(".log-metadata pre")).to_contain_text('"grad_norm": 12.5')


def test_metadata_of_a_log_line_stands_beside_its_message_where_there_is_room(page: Page) -> None:
    page.goto("/projects/proj/runs/ablations~exp/logs")

    assert top_of(page, ".log-metadata") == top_of(page, ".log-text")
    page.set_viewport_size({"width": 390, "height": 844})
    assert top_of(page, ".log-metadata") > top_of(page, ".log-text")


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["y"]


def test_on_phones_the_way_to_a_run_keeps_the_project(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/projects/proj/runs/sweeps~lr~exp")

    expect(page.locator(".breadcrumb a.crumb", has_text="proj")).to_be_visible()
    expect(page.locator(".crumb-far").first).to_be_hidden()
