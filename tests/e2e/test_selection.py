"""A person chooses, filters and sorts the runs of a project, with a browser's help and without."""

import json
import re
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
EVIL = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
PATIENCE_MS = 30_000
RUN_COUNT = 14


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        for number in range(RUN_COUNT):
            add_run(server, number)
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    page.close()


def add_run(server: LiveServer, number: int, *, project: str = "proj") -> None:
    """`run-00`, the oldest, has the loss 0, and so on; every other one is tagged `even`."""
    tags = ["even"] if number % 2 == 0 else [EVIL]
    start: dict[str, Any] = {"config": {"x": number, "evil": EVIL}, "tags": tags}
    batch = {
        "format": 1,
        "project": project,
        "run": {"uid": str(uuid.uuid4()), "key": f"run-{number:02}"},
        "producer": str(uuid.uuid4()),
        "first_seq": 1,
        "last_seq": 3,
        "keys": ["loss"],
        "n": [2],
        "s": [0, 1],
        "v": [number + 0.5, number],
        "t": [1_767_268_800_000_000, 1_767_268_801_000_000],
        "q": [1, 1],
        "events": [[1, "start", start], [3, "finish", {"status": "completed"}]],
    }
    request = urllib.request.Request(
        f"{server.url}/ingest/v1/batch",
        json.dumps(batch).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def names(numbers: list[int]) -> list[str]:
    return [f"run-{number:02}" for number in numbers]


def listed(page: Page) -> Locator:
    return page.locator("#run-list .run-row:not(h3 ~ ul *) .run-name")


def ticked(page: Page) -> Locator:
    return page.locator("#run-list .swatch:checked")


def test_the_first_runs_are_drawn_until_somebody_chooses(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/projects/proj")
    expect(ticked(page)).to_have_count(10)
    expect(page.locator(".when-automatic")).to_have_text("Automatic: the first 10")

    page.locator("[data-run=run-13] .swatch").uncheck()

    expect(page.locator(".when-automatic")).to_be_hidden()
    expect(page.locator("[data-chosen-count]")).to_have_text("9")
    expect(page).to_have_url(re.compile("run=run-12"))
    page.reload()
    expect(ticked(page)).to_have_count(9)
    expect(page.locator("[data-run=run-13] .swatch")).not_to_be_checked()

    page.get_by_role("link", name="First 5", exact=True).click()

    expect(ticked(page)).to_have_count(5)
    expect(page).to_have_url(re.compile(r"\?top=5$"))
    expect(page.locator(".when-automatic")).to_have_text("Automatic: the first 5")

    page.locator(".choices").get_by_text("None").click()

    expect(ticked(page)).to_have_count(0)
    expect(page.get_by_text("No run is chosen")).to_be_visible()


def test_a_wrong_filter_is_shown_and_the_list_stays(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/projects/proj?top=5")
    field = page.locator("#search input")

    field.fill("loss < 3 and tag => even")

    expect(page.locator("#query-problem mark")).to_have_text("=>")
    expect(page.locator("#query-problem")).to_contain_text("write '>='")
    expect(listed(page)).to_have_count(RUN_COUNT)
    assert page.url.endswith("?top=5")

    field.fill("loss < 3 and tag = even")

    expect(listed(page)).to_have_text(names([2, 0]))
    expect(page.locator("#query-problem mark")).to_have_count(0)
    expect(ticked(page)).to_have_count(2)

    page.go_back()

    expect(listed(page)).to_have_count(RUN_COUNT)
    expect(page.locator("#search input")).to_have_value("")
    expect(ticked(page)).to_have_count(5)


def test_the_list_is_sorted_by_any_field(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/projects/proj?top=5")
    page.locator(".run-sort summary").click()
    field = page.locator("[data-sort]")
    field.fill("loss.m")
    expect(page.locator("#sort-fields option").first).to_have_attribute("value", "loss.min")

    field.fill("loss.min")
    field.press("Enter")

    expect(listed(page)).to_have_text(names(list(range(RUN_COUNT))))
    expect(page.locator(".run-value").first).to_have_text("0")
    expect(page.locator(".run-value").nth(3)).to_have_text("3")
    assert ticked(page).evaluate_all("boxes => boxes.map(box => box.value)") == names(
        [0, 1, 2, 3, 4]
    )
    page.get_by_label("Sort the other way round").click()
    expect(listed(page).first).to_have_text("run-13")
    expect(page).to_have_url(re.compile("sort=-loss.min"))


def test_typing_is_one_step_back_and_enter_none(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/projects/proj")
    field = page.locator("#search [data-search]")
    before = page.evaluate("history.length")

    for text in ("run-0", "run-01"):
        field.fill(text)
        expect(page).to_have_url(re.compile(f"q={text}$"))
    field.press("Enter")
    expect(listed(page)).to_have_count(1)

    assert page.evaluate("history.length") == before + 1
    page.go_back()
    expect(listed(page)).to_have_count(RUN_COUNT)


def test_enter_while_the_server_is_away_keeps_the_page(page: Page) -> None:
    with live_server() as server:
        add_run(server, 0)
        page.goto(f"{server.url}/projects/proj")
        expect(ticked(page)).to_have_count(1)
        server.kill()

        page.locator("#search [data-search]").fill("even")
        page.locator("#search [data-search]").press("Enter")

        expect(page.get_by_text("The server cannot be reached.").first).to_be_visible()
        expect(listed(page)).to_have_count(1)


def test_ticks_outlive_a_silent_server(page: Page) -> None:
    with live_server() as server:
        for number in range(3):
            add_run(server, number)
        page.goto(f"{server.url}/projects/proj")
        expect(ticked(page)).to_have_count(3)
        server.kill()

        page.locator("[data-run=run-01] .swatch").uncheck()
        expect(page.get_by_text("The server cannot be reached.").first).to_be_visible()
        server.start()
        page.evaluate("htmx.trigger('#run-list', 'refresh')")

        expect(page).to_have_url(re.compile("run=run-02&run=run-00"))
        page.evaluate("htmx.trigger('#run-list', 'refresh')")
        expect(page.locator("#run-list:not([data-automatic])")).to_be_visible()
        expect(page.locator("[data-run=run-01] .swatch")).not_to_be_checked()
        expect(ticked(page)).to_have_count(2)


def test_the_page_is_read_without_javascript(server: LiveServer, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/projects/proj")
    expect(listed(page)).to_have_count(RUN_COUNT)

    page.locator("#search [data-search]").fill("tag = even loss.min < 5")
    page.locator("#search [data-search]").press("Enter")
    expect(listed(page)).to_have_text(names([4, 2, 0]))
    page.locator(".run-sort summary").click()
    page.locator("[data-sort]").fill("config.x")
    page.locator("[data-sort]").press("Enter")
    expect(listed(page)).to_have_text(names([0, 2, 4]))
    page.locator("[data-run=run-02] .swatch").uncheck()
    page.get_by_text("Draw the ticked runs").click()
    expect(ticked(page)).to_have_count(2)
    page.locator("#search [data-search]").fill("tag <")
    page.locator("#search [data-search]").press("Enter")
    expect(page.locator("#query-problem mark")).to_have_text("<")
    expect(page).to_have_url(re.compile(r"q=tag.*run-00"))
    page.locator("#search [data-search]").fill("loss.min < 9")
    page.locator("#search [data-search]").press("Enter")
    expect(listed(page)).to_have_text(names([*range(9)]))
    expect(ticked(page)).to_have_count(2)
    page.locator("#metric-search [type=search]").fill("none")
    page.locator("#metric-search [type=search]").press("Enter")
    expect(page).to_have_url(re.compile("metric=none.*q=loss.*run=run-00"))
    context.close()


def test_what_people_write_stays_text(server: LiveServer, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server.url}/projects/proj?sort=config.evil")
    expect(page.locator(".run-value").first).to_have_text(EVIL[:24])

    page.locator("#search input").fill(f"loss < {EVIL}")
    expect(page.locator("#query-problem mark")).to_be_visible()
    page.locator("#search input").fill(f'"{EVIL[:20]}"')
    expect(listed(page)).to_have_count(RUN_COUNT // 2)

    assert page.title() == "proj · Runyard"
    assert errors == []


def test_chosen_runs_are_compared(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/projects/proj?run=run-03&run=run-05")

    page.locator("#run-list [data-compare]").click()

    expect(page).to_have_url(re.compile(r"/projects/proj/compare\?.*run=run-05&run=run-03"))
    expect(page.locator("main")).to_contain_text("run-05")


def test_a_page_is_not_renewed_for_what_it_shows_already(server: LiveServer, page: Page) -> None:
    renewals: list[str] = []
    page.on("request", lambda r: renewals.append(r.url) if "hx-request" in r.headers else None)
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{server.url}/projects/proj")
    expect(page.locator("metric-chart canvas").first).to_be_visible()

    page.wait_for_timeout(1_000)

    assert renewals == []


def test_a_deleted_run_leaves_the_list_and_its_page_says_so(server: LiveServer, page: Page) -> None:
    def delete(key: str) -> None:
        address = f"{server.url}/api/projects/gone/runs/{key}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=30).close()

    for number in (0, 1):
        add_run(server, number, project="gone")
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{server.url}/projects/gone")
    expect(listed(page)).to_have_text(names([1, 0]))

    delete("run-01")

    expect(listed(page)).to_have_text(names([0]))

    with page.expect_response(re.compile("/stream")):
        page.goto(f"{server.url}/projects/gone/runs/run-00")
    delete("run-00")

    # At the latest with the stream's next heartbeat.
    expect(page.locator("#messages")).to_contain_text(
        "The run run-00 has been deleted.", timeout=20_000
    )
