"""The JavaScript example of the AI Manager documentation hears of a training of `ai_manager`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.live import LiveServer, live_server, wait_until
from tests.e2e.manager_jobs import JOB_S, register, started_job, wait_for

pytestmark = pytest.mark.e2e
PATIENCE_S = 30

EXAMPLE = """
const ws = new WebSocket('ws://localhost:8000/ws/1');

ws.onopen = function(event) {
    console.log('Connected to WebSocket');
};

ws.onmessage = function(event) {
    const data = JSON.parse(event.data);
    console.log('Received metric update:', data);
};

ws.onclose = function(event) {
    console.log('WebSocket connection closed');
};
"""
PRINTED_HOST = "localhost:8000"
KEEP_WHAT_IS_LOGGED = "window.heard = []; console.log = (...words) => heard.push(words);"
TRAINING = """
import sys
from ai_manager import AIManager

manager = AIManager("my_project", "http://localhost:8000", "user", "pass")
with manager.run(name="watched") as run:
    print("begun", flush=True)
    sys.stdin.readline()
    for step in range(50):
        run.log({"loss": step / 2, "accuracy": 0.5}, step=step)
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def heard(page: Page) -> list[dict[str, Any]]:
    """What the example has received."""
    words = page.evaluate("heard")
    return [said[1] for said in words if said[0] == "Received metric update:"]


def test_watcher_hears_of_each_point_while_it_is_logged(
    server: LiveServer, page: Page, tmp_path: Path
) -> None:
    register(server)
    with started_job(TRAINING, server, tmp_path) as job:
        wait_for(job, "begun")
        page.goto(f"{server.url}/health")
        example = EXAMPLE.replace(PRINTED_HOST, f"127.0.0.1:{server.port}")
        page.evaluate(f"() => {{ {KEEP_WHAT_IS_LOGGED} {example} }}")  # else it is run twice
        wait_until(lambda: page.evaluate("heard.length"), PATIENCE_S, "it is connected")

        _, errors = job.communicate("\n", timeout=JOB_S)
        wait_until(lambda: heard(page)[-1].get("status") == "completed", PATIENCE_S, "it has ended")

        assert page.evaluate("heard[0]") == ["Connected to WebSocket"]
        points = [frame for frame in heard(page) if frame["type"] == "metric"]
        assert (job.returncode, errors) == (0, "")
        assert set(points[0]) == {"type", "run_id", "name", "value", "step", "timestamp"}
        assert {frame["run_id"] for frame in points} == {1}
        for name, values in (("loss", [n / 2 for n in range(50)]), ("accuracy", [0.5] * 50)):
            curve = [(frame["step"], frame["value"]) for frame in points if frame["name"] == name]
            assert curve == list(enumerate(values))


CODE_OF_CLOSING = """
([address, protocols]) => new Promise((resolve) => {
    new WebSocket(address, protocols).onclose = (event) => resolve(event.code);
})
"""


def test_page_hears_why_it_may_not_watch(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/health")
    address = f"ws://127.0.0.1:{server.port}/ws"

    def code(path: str, *protocols: str) -> int:
        return int(page.evaluate(CODE_OF_CLOSING, [f"{address}/{path}", protocols]))

    assert code("1", "bearer", "ry_wrong") == 4401
    assert code("99") == 4404
    assert code("99?since=soon") == 4400
    assert code("nothing") == 1006
