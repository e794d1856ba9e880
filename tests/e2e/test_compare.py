"""A person compares runs: differences, baseline, scatter plot, parallel lines; saves charts as files."""

import csv
import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.live import LiveServer, live_server
from tests.e2e.plain_job import PlainJob

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
EVIL = "=1+<script>document.title='ran'</script>"
RUNS = [("a", 0.1, "adam"), ("b", 0.2, "sgd"), ("c", 0.4, "adam")]
COMPARE = "/projects/proj/compare"
ALL = f"{COMPARE}?run=a&run=b&run=c"
VISIBLE_DOT = ".plot-dots a"


@pytest.fixture(scope="module")
def server(browser: Browser) -> Iterator[LiveServer]:
    with live_server() as server:
        for number, (key, lr, optimizer) in enumerate(RUNS):
            job = PlainJob(server.url, key, config={"lr": lr, "opt": optimizer})
            job.log({"train/loss": [1 / (step + 1 + number) for step in range(50)]})
            job.event("finish", status="completed")
        page = browser.new_page()
        page.goto(f"{server.url}/projects/proj/runs/c/name?edit=1")
        page.locator("[name=text]").fill(EVIL)
        page.locator("[name=text]").press("Enter")
        page.get_by_text(EVIL).first.wait_for()
        page.close()
        yield server


class Reader:
    def __init__(self, page: Page, server: LiveServer) -> None:
        self.page = page
        self.server = server
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        is_cut_short = message.text.startswith("htmx:")  # a request of the page that was left
        if message.type in {"error", "warning"} and not is_cut_short:
            self.errors.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def save(self, button: Locator) -> tuple[str, bytes]:
        """The name and the content of the file that the button gives."""
        with self.page.expect_download() as download:
            button.click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def open_menu(self) -> Locator:
        """The menu of the first chart, when its curve is there."""
        chart = self.page.locator("metric-chart").first
        expect(chart.locator("canvas")).to_be_visible()
        chart.hover()
        chart.locator(".chart-menu > summary").click()
        return chart


@pytest.fixture
def reader(browser: Browser, server: LiveServer) -> Iterator[Reader]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    reader = Reader(page, server)
    yield reader
    page.close()
    assert reader.errors == []


def test_differences_are_measured_against_the_baseline(reader: Reader) -> None:
    reader.open(f"{ALL}&view=diff")

    heads = reader.page.locator(".diff-table thead a")
    assert heads.all_text_contents() == ["a", "b", EVIL]
    lr = reader.page.locator(".diff-table tr", has_text="lr").first
    assert lr.locator("td").all_inner_texts() == ["0.1", "0.2 +100 %", "0.4 +300 %"]

    reader.page.get_by_title("Make b the baseline").click()

    expect(reader.page).to_have_url(re.compile("baseline=b"))
    expect(heads).to_have_text(["b", "a", EVIL])
    assert lr.locator("td").all_inner_texts() == ["0.2", "0.1 −50 %", "0.4 +100 %"]

    reader.page.get_by_label("Leave a out").click()
    expect(reader.page).to_have_url(re.compile(r"compare\?run=b&run=c&baseline=b&view=diff$"))
    reader.page.go_back()
    expect(heads).to_have_text(["b", "a", EVIL])


def test_keys_are_filtered_as_they_are_typed(reader: Reader) -> None:
    reader.open(f"{ALL}&view=diff")

    reader.page.get_by_label("Filter keys").press_sequentially("opt")

    expect(reader.page).to_have_url(re.compile("find=opt"))
    expect(reader.page.locator(".diff-table tbody tr:not(.diff-section)")).to_have_count(1)
    expect(reader.page.get_by_label("Filter keys")).to_be_focused()
    reader.page.reload()
    assert reader.texts(".diff-table tbody th[scope=row]") == ["opt"]


def test_a_run_is_added_by_its_key(reader: Reader) -> None:
    reader.open(f"{COMPARE}?run=a")
    expect(reader.page.get_by_text("One run has nothing to be compared with")).to_be_visible()

    reader.page.get_by_label("Add a run").fill("b")
    reader.page.get_by_label("Add a run").press("Enter")

    expect(reader.page).to_have_url(re.compile("run=a&.*run=b"))
    expect(reader.page.locator(".diff-table thead a")).to_have_text(["a", "b"])


def test_scatter_shows_a_run_on_hover_and_opens_it_on_click(reader: Reader) -> None:
    reader.open(f"{COMPARE}?view=scatter&h=config.lr&v=train/loss.min&color=config.opt")
    dots = reader.page.locator(VISIBLE_DOT)
    expect(dots).to_have_count(3)
    assert reader.texts(".plot-legend li") == ["adam", "sgd"]

    reader.page.get_by_label(EVIL).locator("circle").hover()
    tip = reader.page.locator(".plot-tip")
    assert tip.inner_text().split("\n")[0] == EVIL
    assert "0.4" in tip.inner_text()
    assert "0.01923" in tip.inner_text()

    reader.page.locator("#log-h").check()
    expect(reader.page).to_have_url(re.compile("log_h=1"))
    expect(dots).to_have_count(3)
    reader.page.get_by_label("Filter runs").fill("config.lr < 0.3")
    reader.page.get_by_label("Filter runs").press("Enter")
    expect(dots).to_have_count(2)
    dots.first.locator("circle").click()
    expect(reader.page).to_have_url(re.compile("/projects/proj/runs/[ab]$"))
    reader.page.go_back()
    expect(dots).to_have_count(2)


def test_views_share_what_the_browser_has_changed(reader: Reader) -> None:
    reader.open(f"{ALL}&view=charts&smooth=0.5")
    expect(reader.page.locator("metric-chart canvas")).to_be_visible()

    reader.page.get_by_label("Smoothing").first.fill("0.9")
    expect(reader.page).to_have_url(re.compile("smooth=0.9"))
    reader.page.get_by_role("link", name="Scatter").click()
    expect(reader.page).to_have_url(re.compile("smooth=0.9.*view=scatter"))
    expect(reader.page.locator(VISIBLE_DOT)).to_have_count(3)
    reader.page.get_by_label("Up").fill("duration")
    reader.page.get_by_label("Up").press("Tab")
    expect(reader.page).to_have_url(re.compile("v=duration"))
    views = reader.page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Charts").click()

    expect(reader.page).to_have_url(re.compile("view=charts"))
    assert "v=duration" in reader.page.url
    assert "smooth=0.9" in reader.page.url
    assert "smooth=0.5" not in reader.page.url


def test_an_axis_is_picked_from_the_fields_there_are(reader: Reader) -> None:
    reader.open(f"{COMPARE}?view=scatter&h=config.lr&v=train/loss.min")
    field = reader.page.get_by_label("Across")

    field.click()
    assert (field.input_value(), field.get_attribute("placeholder")) == ("", "config.lr")
    field.blur()
    assert field.input_value() == "config.lr"
    field.fill("config.opt")
    field.press("Enter")

    expect(reader.page).to_have_url(re.compile("h=config.opt"))
    expect(reader.page.locator(VISIBLE_DOT)).to_have_count(3)
    assert "run=" not in reader.page.url


def test_parallel_lines_are_filtered_by_dragging_along_an_axis(reader: Reader) -> None:
    reader.open(f"{COMPARE}?view=parallel&axis=config.opt&axis=config.lr&axis=train/loss")
    lines = reader.page.locator(".plot-line")
    expect(lines).to_have_count(3)
    box = reader.page.locator(".plot-box svg").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2

    reader.page.mouse.move(middle, box["y"] + box["height"] / 2)
    reader.page.mouse.down()
    reader.page.mouse.move(middle, box["y"] + 20, steps=5)
    reader.page.mouse.up()

    expect(reader.page.locator(".plot-note")).to_contain_text("1 of 3 runs pass")
    expect(reader.page.locator(".plot-line.is-pale")).to_have_count(2)
    expect(reader.page).to_have_url(re.compile("brush=.*config.lr"))
    reader.page.reload()
    expect(reader.page.locator(".plot-note")).to_contain_text("1 of 3 runs pass")
    reader.page.get_by_role("button", name="brushes").click()
    expect(reader.page.locator(".plot-line.is-pale")).to_have_count(0)


def test_a_chart_is_saved_as_picture_vectors_and_points(reader: Reader) -> None:
    reader.open(f"{ALL}&view=charts")
    chart = reader.open_menu()
    page = reader.page

    name, content = reader.save(chart.locator("[data-export=csv]"))
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert name == "train-loss.csv"
    assert rows[0] == ["run", "step", "value"]
    assert len(rows) == 1 + 150
    assert ["b", "1", repr(1 / 3)] in rows

    if not chart.locator("[data-export=svg]").is_visible():
        chart.locator(".chart-menu > summary").click()
    name, content = reader.save(chart.locator("[data-export=svg]"))
    svg = content.decode()
    assert name == "train-loss.svg"
    assert svg.count("<path") > 3
    assert "=1+&lt;script&gt;" in svg
    assert "<script" not in svg
    assert (
        page.evaluate(
            "(text) => new DOMParser().parseFromString(text, 'image/svg+xml').documentElement.tagName",
            svg,
        )
        == "svg"
    )

    if not chart.locator("[data-export=png]").is_visible():
        chart.locator(".chart-menu > summary").click()
    name, content = reader.save(chart.locator("[data-export=png]"))
    assert name == "train-loss.png"
    assert content.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", content[16:24])
    assert width >= 2 * chart.locator(".chart-plot").bounding_box()["width"]


def test_a_plot_of_runs_is_saved_too(reader: Reader) -> None:
    reader.open(f"{COMPARE}?view=scatter&h=config.lr&v=train/loss.min")
    expect(reader.page.locator(VISIBLE_DOT)).to_have_count(3)

    name, content = reader.save(reader.page.get_by_role("button", name="SVG"))
    assert (name, content.decode().count("<circle")) == ("proj-scatter.svg", 3)
    name, content = reader.save(reader.page.get_by_role("button", name="CSV"))
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert rows[0] == ["run", "name", "config.lr", "train/loss.min"]
    assert rows[1] == ["c", f"'{EVIL}", "0.4", repr(1 / 52)]


def test_full_screen_is_left_by_esc_and_keeps_the_zoom(reader: Reader) -> None:
    reader.open(f"{ALL}&view=charts&xr=10,20")
    chart = reader.page.locator("metric-chart").first
    expect(chart.locator("canvas")).to_be_visible()
    before = chart.locator("canvas").bounding_box()
    button = chart.locator("[data-full]")
    chart.hover()

    button.click()

    expect(button).to_have_attribute("aria-pressed", "true")
    reader.page.wait_for_function(
        "() => document.querySelector('metric-chart canvas').clientHeight > innerHeight * 0.7"
    )

    reader.page.keyboard.press("Escape")

    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_be_focused()
    reader.page.wait_for_function(
        "(height) => Math.abs(document.querySelector('metric-chart canvas').clientHeight - height) < 2",
        arg=before["height"],
    )
    assert "xr=10,20" in reader.page.url
    scale = "() => { const { x } = document.querySelector('metric-chart').plot.scales; return [x.min, x.max]; }"
    assert reader.page.evaluate(scale) == [10, 20]


@pytest.mark.parametrize(
    ("view", "text"),
    [("diff", "+100 %"), ("scatter&h=config.lr&v=train/loss", "0.4"), ("parallel", "adam")],
)
def test_pages_read_without_javascript(
    browser: Browser, server: LiveServer, view: str, text: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}{ALL}&view={view}")
    if "diff" not in view:
        page.get_by_text("The figures as a table").click()

    expect(page.locator("table").first).to_contain_text(text)
    assert page.title() != "ran"
    page.get_by_label("Leave a out").click()
    expect(page.locator(".compared-run")).to_have_count(2)
    context.close()


def test_runs_ticked_in_the_table_are_compared(reader: Reader) -> None:
    reader.open("/projects/proj/runs")
    reader.page.locator("input[name=run][value=a]").check()
    reader.page.locator("input[name=run][value=b]").check()

    reader.page.get_by_role("button", name="Compare").click()

    expect(reader.page.locator(".compared-run")).to_have_count(2)
    assert reader.texts(".diff-table tbody th[scope=row]")[:2] == ["lr", "opt"]
    reader.page.go_back()
    expect(reader.page.locator("input[name=run][value=a]")).to_be_visible()
