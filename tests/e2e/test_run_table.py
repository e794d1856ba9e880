"""A person works in the run table: by keys, by mouse, and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000


def add_runs(server: LiveServer, project: str, count: int = 6) -> str:
    """Runs run-0, run-1 … of a project; the loss of each is its number. Returns the table's URL."""
    runs = f"{server.url}/tracker/api/v1/projects/{project}/runs"
    with requests.Session() as session:
        for number in range(count):
            config = {"lr": 10.0**-number, "seed": number}
            body = {"name": f"run-{number}", "config": config, "tags": [f"tag-{number % 2}"]}
            session.post(runs, json=body, timeout=30).raise_for_status()
            row = {"step": 1, "metrics": {"train/loss": number, "val/acc": 0.5}}
            session.post(f"{runs}/run-{number}/metrics", json=row, timeout=30).raise_for_status()
    return f"{server.url}/projects/{project}/runs"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as running:
        yield running


@pytest.fixture(scope="module")
def table_url(server: LiveServer) -> str:
    """A table that no test changes."""
    return add_runs(server, "steady")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page; errors in its scripts and its console fail the test."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert errors == []


def names(page: Page) -> list[str]:
    return page.locator("#run-table [data-open]").all_text_contents()


def ticked(page: Page) -> list[str]:
    boxes = page.locator("#run-table input[name=run]:checked")
    return [box.input_value() for box in boxes.all()]


def renew(page: Page) -> None:
    """As its timer would do; returns when the new table is there."""
    page.evaluate("document.querySelector('#run-table').dataset.old = 'yes'")
    page.evaluate("htmx.trigger('#run-table', 'refresh')")
    expect(page.locator("#run-table:not([data-old])")).to_be_visible()


def filter_by(page: Page, text: str) -> None:
    page.locator("[data-search]").fill(text)


def test_keys_lead_through_the_table_into_compare(page: Page, table_url: str) -> None:
    page.goto(table_url)
    page.keyboard.press("j")
    expect(page.locator("[data-row=run-5]")).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-row=run-4]")).to_be_focused()
    expect(page.locator("[data-count]")).to_have_text("2 chosen")

    page.keyboard.press("c")

    page.wait_for_url(re.compile(r"/projects/steady/compare\?"))
    assert "run=run-5" in page.url
    assert "run=run-4" in page.url
    page.go_back()
    page.wait_for_url(re.compile(r"/projects/steady/runs\?"))
    expect(page.locator("[data-count]")).to_have_text("2 chosen")
    assert ticked(page) == ["run-5", "run-4"]


def test_keys_open_search_help_and_run(page: Page, table_url: str) -> None:
    page.goto(table_url)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("j")  # it belongs to the dialog now
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("c")  # nothing is chosen: nothing happens
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("jxc?")
    expect(page.locator("[data-search]")).to_have_value("jxc?")
    page.locator("[data-search]").fill("")
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/projects/steady/runs/run-5$"))


def test_keys_lead_from_the_projects_to_a_run_and_its_tick(
    page: Page, server: LiveServer, table_url: str
) -> None:
    page.goto(server.url)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/projects/[a-z]+$"))
    page.goto(table_url.removesuffix("/runs"))
    tick = page.locator(".run-row input").first
    expect(tick).to_be_checked()

    page.keyboard.press("j")
    page.keyboard.press("x")

    expect(tick).not_to_be_checked()
    page.wait_for_url(re.compile(r"\?.*run=run-4"))


def test_filter_is_in_the_url_and_back_undoes_it(page: Page, table_url: str) -> None:
    page.goto(f"{table_url}?sort=train%2Floss&col=train%2Floss")
    expect(page.locator("[data-row]")).to_have_count(6)

    filter_by(page, 'config.lr < 0.02 and tag = "tag-0"')
    expect(page.locator("[data-row]")).to_have_count(2)
    address = page.url
    seen = names(page)
    page.go_back()
    expect(page.locator("[data-row]")).to_have_count(6)

    assert seen == ["run-2", "run-4"]
    assert names(page) == [f"run-{n}" for n in range(6)]
    page.goto(address)
    assert names(page) == seen


def test_wrong_filter_is_marked_while_the_rows_stay(page: Page, table_url: str) -> None:
    page.goto(table_url)

    filter_by(page, "config.lr << 3")

    expect(page.locator("#query-problem mark")).to_have_text("<<")
    assert page.url == table_url
    expect(page.locator("[data-row]")).to_have_count(6)
    filter_by(page, "config.lr < 3")
    expect(page.locator("#query-problem mark")).to_have_count(0)


def test_head_sorts_up_down_and_no_more(page: Page, table_url: str) -> None:
    page.goto(table_url)
    head = page.locator("thead th", has_text="train/loss")

    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    up = names(page)
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    down = names(page)
    head.get_by_role("link").click()

    expect(page.locator("thead th", has_text="Started")).to_have_attribute(
        "aria-sort", "descending"
    )
    assert up == down[::-1] == [f"run-{n}" for n in range(6)]


def test_a_pressed_link_keeps_the_focus(page: Page, table_url: str) -> None:
    page.goto(table_url)
    head = page.get_by_role("link", name="Duration", exact=True)
    head.focus()

    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"\?sort=duration$"))
    expect(head).to_be_focused()
    renew(page)
    expect(head).to_be_focused()


def test_enter_in_the_filter_adds_no_step_to_go_back_from(page: Page, table_url: str) -> None:
    page.goto(table_url)
    filter_by(page, "run-2")
    expect(page).to_have_url(re.compile(r"\?q=run-2$"))

    with page.expect_response(re.compile(r"q=run-2")):
        page.keyboard.press("Enter")
    expect(page.locator("#run-table [data-open]")).to_have_text(["run-2"])
    page.wait_for_function("!document.querySelector('.htmx-request')")
    page.go_back()

    expect(page).to_have_url(table_url)
    expect(page.locator("[data-search]")).to_have_value("")


def test_ticks_focus_and_place_survive_a_renewal(page: Page, table_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(table_url)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("#run-table input[name=run]").nth(2).click()
    page.locator("#run-table input[name=run]").nth(4).click(modifiers=["Shift"])
    page.keyboard.press("k")
    page.evaluate("document.querySelector('.table-pane').scrollLeft = 120")

    renew(page)

    assert ticked(page) == ["run-5", "run-3", "run-2", "run-1"]
    expect(page.locator("[data-row=run-2]")).to_be_focused()
    assert page.evaluate("document.querySelector('.table-pane').scrollLeft") == 120
    expect(page.locator("[data-count]")).to_have_text("4 chosen")


def test_ticks_of_rows_that_a_filter_hides_are_kept(page: Page, table_url: str) -> None:
    page.goto(table_url)
    page.locator("#run-table input[name=run]").nth(0).click()
    filter_by(page, "name = run-1")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("#run-table input[name=run]").nth(0).click()

    page.get_by_role("button", name="Compare").click()

    page.wait_for_url(re.compile(r"/compare\?"))
    assert sorted(re.findall(r"run=(run-\d)", page.url)) == ["run-1", "run-5"]


def test_columns_are_chosen_ordered_and_pinned(page: Page, table_url: str) -> None:
    page.goto(f"{table_url}?col=status&col=config.seed&q=config.seed+%3E+2")
    page.get_by_role("link", name="Columns").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox").fill("loss.mi")
    dialog.get_by_role("button", name="train/loss (min)").click()
    dialog.get_by_role("button", name="Move train/loss (min) to the left").click()
    expect(dialog.locator(".column-row").nth(2)).to_contain_text("train/loss (min)")
    dialog.get_by_role("button", name="Pin train/loss (min)").click()
    expect(dialog.locator(".is-pinned")).to_contain_text("train/loss (min)")
    dialog.get_by_role("button", name="Remove Status").click()
    expect(dialog.locator(".column-row")).to_have_count(3)

    dialog.get_by_role("link", name="Show").click()

    heads = page.locator("thead th a")
    expect(heads).to_have_text(["Run", "train/loss (min)", re.compile("seed")])
    assert names(page) == ["run-5", "run-4", "run-3"]
    expect(page.locator("th.pin-1")).to_have_css("position", "sticky")


def test_view_is_saved_opened_and_deleted(page: Page, server: LiveServer) -> None:
    page.goto(add_runs(server, "viewed"))
    filter_by(page, "config.seed > 3")
    expect(page.locator("[data-row]")).to_have_count(2)

    page.locator("summary", has_text="Views").click()
    page.get_by_label("Name of this view").fill("<b>Late</b> ones")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".message")).to_contain_text("View “<b>Late</b> ones” saved.")
    page.goto(f"{server.url}/projects/viewed/runs")
    page.locator("summary", has_text="Views").click()
    page.get_by_role("link", name="<b>Late</b> ones", exact=True).click()
    expect(page.locator("[data-row]")).to_have_count(2)
    page.locator("summary", has_text="Views").click()
    page.get_by_role("link", name="Delete the view").click()
    page.get_by_role("button", name="Delete the view").click()

    expect(page.locator(".message")).to_contain_text("deleted")
    expect(page.locator("[data-row]")).to_have_count(6)


def test_runs_are_archived_and_come_back(page: Page, server: LiveServer) -> None:
    page.goto(add_runs(server, "archive"))
    page.locator("[data-tick-all]").click()
    page.locator("#run-table input[name=run]").nth(0).click()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator(".message")).to_contain_text("5 runs archived")
    expect(page.locator("[data-row]")).to_have_count(1)

    page.get_by_role("link", name="Archived").click()
    expect(page.locator("[data-row]")).to_have_count(5)
    page.locator("[data-tick-all]").click()
    page.get_by_role("button", name="Restore").click()

    expect(page.locator(".message")).to_contain_text("5 runs restored")


def test_deleting_says_what_goes_and_can_be_left(page: Page, server: LiveServer) -> None:
    page.goto(add_runs(server, "deleted"))
    page.locator("#run-table input[name=run]").nth(0).click()
    page.locator("#run-table input[name=run]").nth(1).click()
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 2 runs?")
    expect(dialog.locator(".question-names li")).to_have_text(["run-5", "run-4"])
    dialog.get_by_role("link", name="Keep them").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-row]")).to_have_count(6)

    page.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Delete 2 runs").click()

    expect(page.locator(".message")).to_contain_text("2 runs moved to the trash.")
    expect(page.locator("[data-row]")).to_have_count(4)


def test_all_runs_of_a_filter_are_tagged_across_pages(page: Page, server: LiveServer) -> None:
    page.goto(f"{add_runs(server, 'many', 55)}?q=config.seed+%3E%3D+3")
    expect(page.locator("[data-row]")).to_have_count(50)
    page.locator("[data-tick-all]").click()
    page.get_by_role("button", name="Choose all 52 that match").click()
    expect(page.locator("[data-count]")).to_have_text("All 52 chosen")

    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("Tags, a comma between them").fill("kept")
    page.get_by_role("button", name="Add to all").click()

    expect(page.locator(".message")).to_contain_text("52 runs tagged “kept”.")


def test_everything_works_without_javascript(browser: Browser, server: LiveServer) -> None:
    address = add_runs(server, "plain")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}?col=config.seed")
    page.get_by_role("searchbox").fill("config.seed < 3")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(3)
    page.get_by_role("link", name="Run", exact=True).click()
    assert names(page) == ["run-0", "run-1", "run-2"]
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="User").click()
    page.get_by_role("link", name="Show").click()
    expect(page.locator("thead th a")).to_have_text(["Run", re.compile("seed"), "User"])
    assert names(page) == ["run-0", "run-1", "run-2"]
    page.get_by_label("Choose run-1").check()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete 1 run?")).to_be_visible()
    page.get_by_role("button", name="Delete 1 run").click()

    expect(page.locator(".message")).to_contain_text("1 run moved to the trash.")
    assert names(page) == ["run-0", "run-2"]
    context.close()
