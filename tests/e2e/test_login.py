"""A server where people sign in: the first start, an invitation, a member, and a session that ends."""

import json
import re
import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
SECRET = "correct horse 9"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(RUNYARD_ACCESS="login") as server:
        yield server


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Two people, each with a browser of their own."""
    contexts = [browser.new_context(), browser.new_context()]
    expect.set_options(timeout=PATIENCE_MS)
    for context in contexts:
        context.set_default_timeout(PATIENCE_MS)
    yield contexts
    for context in contexts:
        context.close()


def make_account(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_label("Password again").fill(SECRET)
    page.locator(".button-primary").click()


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("button", name="Sign out").click()


def make_token(page: Page, server: LiveServer) -> str:
    page.goto(f"{server.url}/profile/tokens")
    page.get_by_label("Name").fill("jobs")
    page.locator("[name=scope]").select_option("write")
    page.get_by_role("button", name="Create the token").click()
    assert gap_to_edge(page, ".token-actions a") < 16
    return page.locator("#token-text").inner_text()


def gap_to_edge(page: Page, selector: str) -> float:
    """Between the right edges of what is in a table and of the table."""
    inner, outer = (page.locator(one).first.bounding_box() for one in (selector, ".table-box"))
    assert inner
    assert outer
    return outer["x"] + outer["width"] - inner["x"] - inner["width"]


def add_run(server: LiveServer, token: str) -> None:
    batch = {
        "format": 1,
        "project": "proj",
        "run": {"uid": str(uuid.uuid4()), "key": "run-1"},
        "producer": str(uuid.uuid4()),
        "first_seq": 1,
        "last_seq": 1,
        "events": [[1, "start", {}]],
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(
        f"{server.url}/ingest/v1/batch", json.dumps(batch).encode(), headers
    )
    urllib.request.urlopen(request, timeout=30).close()


def set_up(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/projects/proj")
    expect(page).to_have_url(f"{server.url}/login?next=%2Fprojects%2Fproj")
    expect(page.get_by_text("Nobody can sign in yet")).to_be_visible()
    [link] = re.findall(r"http://\S+/setup/\S+", server.log.read_text())
    page.goto(link)
    make_account(page, "ada")
    expect(page.get_by_text("you are its administrator")).to_be_visible()
    answer = page.goto(link)
    assert answer
    assert answer.status == 404


def invite(page: Page, server: LiveServer) -> str:
    page.goto(f"{server.url}/invitations")
    page.get_by_role("button", name="Make a link").click()
    return page.locator("#link").inner_text()


def add_member(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/projects/proj/members")
    page.get_by_label("User name").press_sequentially("ma")
    expect(page.locator("#person-suggestions option")).to_have_attribute("value", "marie")
    page.get_by_label("User name").fill("marie")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("marie is a member now")).to_be_visible()
    page.wait_for_load_state()  # without scripts there is a button to press
    with page.expect_response("**/members/*") as answer:
        page.get_by_label("Role of marie").select_option("editor")
    assert answer.value.status == 200
    page.reload()
    expect(page.get_by_label("Role of marie")).to_have_value("editor")


def keep_last_owner(page: Page) -> None:
    """A role that is refused goes back to what holds, and the reason goes when it is read."""
    role = page.get_by_label("Role of ada")
    expect(role).to_have_value("owner")
    page.wait_for_load_state()
    role.select_option("viewer")
    reason = page.get_by_text("A project needs an owner")
    expect(reason).to_be_visible()
    expect(role).to_have_value("owner")
    reason.get_by_role("button", name="Close").press("Enter")
    expect(reason).to_have_count(0)


def remove_member(page: Page) -> None:
    page.get_by_role("link", name="Remove marie").click()
    expect(page.get_by_role("heading", name="Remove marie from proj?")).to_be_visible()
    page.get_by_role("button", name="Remove marie").click()
    expect(page.get_by_text("marie is no member any more")).to_be_visible()


def test_people_come_in_and_go_out(server: LiveServer, contexts: list[BrowserContext]) -> None:
    ada, marie = (context.new_page() for context in contexts)

    set_up(ada, server)
    add_run(server, make_token(ada, server))
    marie.goto(invite(ada, server))
    make_account(marie, "marie")
    expect(marie.get_by_text("Welcome to Runyard")).to_be_visible()
    answer = marie.goto(f"{server.url}/projects/proj")
    assert answer
    assert answer.status == 404

    add_member(ada, server)
    keep_last_owner(ada)
    marie.reload()
    expect(marie.get_by_role("heading", name="proj")).to_be_visible()

    sign_out(marie)
    expect(marie).to_have_url(f"{server.url}/login")
    marie.goto(f"{server.url}/projects/proj")
    sign_in(marie, "marie")
    expect(marie).to_have_url(f"{server.url}/projects/proj")

    check_expiry(marie, server)
    remove_member(ada)
    answer = marie.goto(f"{server.url}/projects/proj")
    assert answer
    assert answer.status == 404


def check_expiry(page: Page, server: LiveServer) -> None:
    """The session ends while the table renews itself: the page goes, no part of it."""
    here = f"{server.url}/projects/proj/runs?q=name+%3D+%22run-1%22"
    page.goto(here)
    expect(page.locator("#run-table tbody tr")).to_have_count(1)
    swaps: list[str] = []
    page.expose_function("noteSwap", lambda target: swaps.append(target))  # noqa: PLW0108 -- playwright takes no built-in
    page.evaluate(
        "document.addEventListener('htmx:afterSwap', ({ target }) => window.noteSwap(target.id))"
    )

    page.context.clear_cookies()

    expect(page.get_by_role("heading", name="Sign in to Runyard")).to_be_visible()
    expect(page.get_by_text("You are not signed in any more")).to_be_visible()
    assert "run-table" not in swaps
    sign_in(page, "marie")
    expect(page).to_have_url(here)
    expect(page.locator("#run-table tbody tr")).to_have_count(1)
