"""A person curates a run in a browser: edits, looks at its files, follows its log, deletes it."""

import io
import json
import struct
import urllib.request
import uuid
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
EVIL = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
ATTACK = b"document.title='ran'; fetch('/executed')"
PAGE = b"<!doctype html><script>" + ATTACK + b"</script>"
SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40' onload=\"fetch('/executed')\">"
    b"<script>" + ATTACK + b"</script><rect width='40' height='40'/></svg>"
)
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


class Job:
    """A training that logs by the batch door; plain HTTP, a record at a time."""

    def __init__(self, server: LiveServer, key: str, **start: Any) -> None:
        self.server = server
        self.url = f"{server.url}/projects/proj/runs/{key}"
        self.run = {"uid": str(uuid.uuid4()), "key": key}
        self.producer = str(uuid.uuid4())
        self.seq = 0
        self.send("start", **start)

    def send(self, kind: str, **payload: Any) -> None:
        self.seq += 1
        batch = self._batch() | {"events": [[self.seq, kind, payload]]}
        self._post("/ingest/v1/batch", json.dumps(batch).encode(), "application/json")

    def log(self, metric: str, values: list[float]) -> None:
        """Points at the steps from 0 on, in one record."""
        self.seq += 1
        count = len(values)
        columns = {"n": [count], "s": [*range(count)], "v": values, "q": [0] * count}
        times = [1_767_268_800_000_000 + step for step in range(count)]
        batch = self._batch() | {"keys": [metric], "t": times} | columns
        self._post("/ingest/v1/batch", json.dumps(batch).encode(), "application/json")

    def upload(self, name: str, content: bytes) -> None:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        path = f"/tracker/api/v1/projects/proj/runs/{self.run['key']}/artifacts"
        self._post(path, body, f"multipart/form-data; boundary={edge}")

    def _batch(self) -> dict[str, Any]:
        return {
            "format": 1,
            "project": "proj",
            "run": self.run,
            "producer": self.producer,
            "first_seq": self.seq,
            "last_seq": self.seq,
        }

    def _post(self, path: str, body: bytes, content_type: str) -> None:
        url = f"{self.server.url}{path}"
        request = urllib.request.Request(url, body, {"Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status in {200, 201}


def tone() -> bytes:
    """Two seconds of sound."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack("<h", 1000) * 16_000)
    return content.getvalue()


def test_run_page_draws_its_own_curves(server: LiveServer, page: Page) -> None:
    job = Job(server, "drawn")
    job.log("loss", [3.0, 2.0, 1.5])

    page.goto(job.url)

    expect(page.locator(".figure-box")).to_have_text(["loss1.51.5 … 3"])
    expect(page.locator(".chart-note")).to_contain_text("3 points")


def test_tags_and_notes_are_edited_in_place(server: LiveServer, page: Page) -> None:
    job = Job(server, "edited", tags=["old"])
    page.goto(job.url)

    page.locator("#edit-tags .edit-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-tags input[name=text]")).to_be_focused()
    page.keyboard.type(", second tag")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-tags .tag")).to_have_text(["old", "second tag"])
    expect(page.locator("#edit-tags .edit-link")).to_be_focused()

    page.locator("#edit-notes .edit-link").click()
    page.locator("#edit-notes textarea").fill(f"**bold** {EVIL}")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#notes-preview strong")).to_have_text("bold")
    page.locator("#edit-notes textarea").press("Control+Enter")
    expect(page.locator("#edit-notes .prose")).to_have_text(f"bold {EVIL}")
    expect(page.locator("#edit-notes form")).to_have_count(0)
    assert page.title() != "ran"

    page.locator("#edit-notes .edit-link").click()
    page.locator("#edit-notes textarea").fill("never saved")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.keyboard.press("Escape")
    expect(page.locator("#edit-notes textarea")).to_have_value("never saved")
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("Escape")
    expect(page.locator("#edit-notes .prose")).to_have_text(f"bold {EVIL}")

    page.locator("#edit-name .edit-link").click()
    expect(page.locator("#edit-name input[name=text]")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(EVIL)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(EVIL)
    assert page.url == job.url
    assert page.title().startswith(EVIL)


def test_edit_says_why_it_is_refused_and_overwrites_nobody(server: LiveServer, page: Page) -> None:
    job = Job(server, "contested", notes="first")
    page.goto(job.url)

    page.locator("#edit-tags .edit-link").click()
    page.locator("#edit-tags input[name=text]").fill("x" * 300)
    page.keyboard.press("Enter")
    expect(page.locator("#edit-tags .problem")).to_have_text("tags: a tag has 1 to 250 characters.")
    expect(page.locator("#edit-tags input[name=text]")).to_have_value("x" * 300)

    page.locator("#edit-notes .edit-link").click()
    expect(page.locator("#edit-notes textarea")).to_have_value("first")
    job.send("notes", notes="of the training")
    page.locator("#edit-notes textarea").fill("of the person")
    page.locator("#edit-notes").get_by_role("button", name="Save").click()
    expect(page.locator(".conflict-text")).to_have_text("of the training")
    expect(page.locator("#edit-notes textarea")).to_have_value("of the person")
    page.locator("#edit-notes").get_by_role("button", name="Save").click()
    expect(page.locator("#edit-notes .prose")).to_have_text("of the person")


def test_nothing_in_a_file_ever_runs(server: LiveServer, page: Page) -> None:
    job = Job(server, "hostile")
    job.upload("evil.html", PAGE)
    job.upload("evil.svg", SVG)
    job.upload("evil.png", PAGE)
    asked: list[str] = []
    happened: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: happened.append(dialog.message))
    page.on("pageerror", lambda error: happened.append(str(error)))
    page.goto(job.url)

    for file in page.locator("details.file > summary").all():
        file.click()
    expect(page.locator(".preview pre")).to_have_text(PAGE.decode())
    expect(page.locator(".preview-none")).to_contain_text("This is no image")
    picture = page.locator(".preview img")
    expect(picture).to_have_js_property("naturalWidth", 40)
    address = f"{server.url}{picture.get_attribute('src')}"
    page.goto(address)
    page.wait_for_timeout(300)

    assert page.title() != "ran"
    assert page.evaluate("self.origin") == "null", "the sealed page has no origin of ours"
    assert happened == []
    assert [url for url in asked if "executed" in url] == []


def test_sound_can_be_wound(server: LiveServer, page: Page) -> None:
    job = Job(server, "loud")
    job.upload("tone.wav", tone())
    page.goto(job.url)
    page.locator("details.file > summary").click()
    sound = page.locator(".preview audio")
    expect(sound).to_be_visible()

    sound.evaluate("sound => { sound.currentTime = 1.5 }")

    expect(sound).to_have_js_property("duration", 2)
    expect(sound).to_have_js_property("currentTime", 1.5)


def test_log_grows_while_the_run_goes_on(server: LiveServer, page: Page) -> None:
    job = Job(server, "talking")
    job.send("log", level="info", message=f"one {EVIL}")
    page.goto(job.url)
    page.get_by_role("link", name="Logs", exact=True).click()
    expect(page.locator(".log-text")).to_have_text([f"one {EVIL}"])

    job.send("log", level="error", message="\x1b[31mtwo\x1b[0m")
    expect(page.locator(".log-text")).to_have_text([f"one {EVIL}", "two"], timeout=PATIENCE_MS)
    job.send("log", level="info", message="three")
    job.send("finish", status="completed")
    expect(page.locator(".log-text")).to_have_count(3, timeout=PATIENCE_MS)
    expect(page.locator("#log-tail")).to_have_count(0, timeout=PATIENCE_MS)

    page.locator(".log-filter select").select_option("error")
    expect(page.locator(".log-text")).to_have_text(["two"])
    assert page.title() != "ran"


def test_run_is_deleted_once_confirmed(server: LiveServer, page: Page) -> None:
    job = Job(server, "doomed")
    page.goto(job.url)

    page.locator(".head-actions summary").click()
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("This run is still running.")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("h1")).to_have_text("doomed")
    page.goto(f"{job.url}/deletion")
    page.get_by_role("button", name="Delete the run").click()

    expect(page.locator("#messages")).to_contain_text("Run “doomed” moved to the trash.")
    response = page.goto(job.url)
    assert response
    assert response.status == 404


def test_run_page_reads_without_javascript(
    server: LiveServer, browser: Browser, tmp_path: Path
) -> None:
    job = Job(server, "plain", notes="*words*", config={"lr": 0.1, "model": {"name": "net"}})
    job.upload("figures.csv", b"a,b\n1,2\n")
    job.send("log", level="info", message="one line")
    job.send("summary", acc=0.5)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)

    page.goto(job.url)
    expect(page.locator(".figures dd").first).to_have_text("0.5")
    expect(page.locator("#notes em")).to_have_text("words")
    page.locator("details.file > summary").click()
    page.get_by_role("link", name="Show figures.csv").click()
    expect(page.locator(".preview td")).to_have_text(["1", "2"])
    page.go_back()
    page.get_by_role("link", name="Show the log lines").click()
    expect(page.locator(".log-text")).to_have_text(["one line"])
    page.goto(f"{job.url}/config?q=model")
    expect(page.locator("#config td")).to_have_text(["net"])
    page.goto(job.url)
    page.locator("#edit-notes .edit-link").click()
    page.locator("textarea").fill("other words")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notes .prose")).to_have_text("other words")
    context.close()
