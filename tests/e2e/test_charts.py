"""A person looks at charts: zooms, changes their axes, groups runs, and sends the link on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.live import LiveServer, live_server, wait_until
from tests.e2e.plain_job import PlainJob

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
SPIKE_AT, SPIKE, LONG = 123_456, 40.0, 200_000
# What the chart of a metric draws: the x of all points, their greatest value, the axes.
DRAWN = """(metric) => {
  const { plot } = document.querySelector(`metric-chart[data-metric="${metric}"]`);
  if (!plot) return { xs: [], columns: [] };
  const { x, y } = plot.scales;
  return {
    xs: [...plot.data[0]],
    columns: plot.data.slice(1).map((column) => [...column].map((value) => value ?? null)),
    kinds: plot.tracks.map(({ kind }) => kind),
    names: plot.tracks.map(({ line }) => line.name),
    x: [x.min, x.max],
    y: [y.min, y.max],
    isLog: y.distr === 3,
  };
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


class Reader:
    """A page, and what it asked for and complained about."""

    def __init__(self, page: Page, server: LiveServer) -> None:
        self.page = page
        self.server = server
        self.addresses: list[str] = []
        self.errors: list[str] = []
        self.loads = 0
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("load", lambda _: setattr(self, "loads", self.loads + 1))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")

    def drawn(self, metric: str) -> dict[str, Any]:
        return dict(self.page.evaluate(DRAWN, metric))

    def wait_until_drawn(self, metric: str, condition: Any, what: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            drawn = self.drawn(metric)
            return drawn if drawn["xs"] and condition(drawn) else None

        return dict(wait_until(look, PATIENCE_MS / 1000, what))

    def wait_for_points(self, metric: str, count: int = 1) -> dict[str, Any]:
        return self.wait_until_drawn(metric, lambda d: len(d["xs"]) >= count, f"{count} points")

    def drag(self, metric: str, start: float, end: float) -> None:
        """From one place of the plot to another, as shares of its width."""
        plot = self.page.locator(f'metric-chart[data-metric="{metric}"] .u-over')
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * start, y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
        self.page.mouse.up()

    def swatches(self) -> list[str]:
        """The colours of the run list, from above."""
        return list(
            self.page.locator("#run-list .swatch").evaluate_all(
                "all => all.map((one) => getComputedStyle(one).borderTopColor)"
            )
        )

    def group_colors(self, names: list[str]) -> list[str]:
        entry = '#group-legend [data-group="{}"] .line-sample'
        color = "one => getComputedStyle(one).backgroundColor"
        return [self.page.locator(entry.format(name)).evaluate(color) for name in names]

    def note(self, metric: str) -> str:
        return self.page.locator(f'metric-chart[data-metric="{metric}"] .chart-note').inner_text()

    def asked_metrics(self) -> list[str]:
        return [url for url in self.addresses if "/runs/metrics?" in url]


@pytest.fixture
def reader(browser: Browser, server: LiveServer) -> Iterator[Reader]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    reader = Reader(page, server)
    yield reader
    assert reader.errors == []
    assert [url for url in reader.addresses if not url.startswith(f"{server.url}/")] == []
    page.close()


@pytest.fixture(scope="module")
def long_run(server: LiveServer) -> None:
    values = np.sin(np.arange(LONG) / 3e4)
    values[SPIKE_AT] = SPIKE
    PlainJob(server.url, "long", project="long").log({"loss": values, "other": values})


@pytest.fixture(scope="module")
def several_runs(server: LiveServer) -> None:
    for number, lr in enumerate([0.1, 0.1, 0.5]):
        job = PlainJob(server.url, f"run-{number}", project="several", config={"lr": lr})
        loss = np.linspace(3 + number, 1, 50)
        job.log({"loss": loss, "accuracy": 1 - loss / 10})


@pytest.mark.usefixtures("long_run")
def test_zoom_brings_more_points_and_keeps_the_spike(reader: Reader) -> None:
    reader.open("/projects/long")
    whole = reader.wait_for_points("loss")
    reader.wait_for_points("other")

    assert SPIKE in whole["columns"][0], "a thinned curve still shows its only spike"
    assert "of 200,000 points · zoom for all" in reader.note("loss")

    reader.drag("loss", 0.6, 0.64)
    zoomed = reader.wait_until_drawn(
        "loss",
        lambda d: d["x"][1] - d["x"][0] < 10_000 and len(d["xs"]) > 500,
        "finer points are drawn",
    )
    other = reader.wait_until_drawn("other", lambda d: d["x"] == zoomed["x"], "all charts zoom")

    in_view = [x for x in whole["xs"] if zoomed["x"][0] <= x <= zoomed["x"][1]]
    assert len(zoomed["xs"]) > 5 * len(in_view)
    assert SPIKE in zoomed["columns"][0]
    assert zoomed["x"][0] < SPIKE_AT < zoomed["x"][1]
    assert len(other["xs"]) > 500
    assert "xr=" in reader.page.url
    wait_until(lambda: "range · zoom for all" in reader.note("loss"), 30, "the zoom's own count")
    in_range = int(zoomed["x"][1]) - int(np.ceil(zoomed["x"][0])) + 1
    assert f" of {in_range:,} points in range · zoom for all" in reader.note("loss")

    reader.page.keyboard.press("Escape")
    reader.wait_until_drawn("other", lambda d: d["x"] == [0, LONG - 1], "Esc shows all")
    assert "xr=" not in reader.page.url
    reader.page.go_back()
    reader.wait_until_drawn("loss", lambda d: d["x"] == zoomed["x"], "back brings the zoom back")
    reader.page.get_by_role("button", name="Reset zoom").click()
    reader.wait_until_drawn("loss", lambda d: d["x"] == [0, LONG - 1], "the button shows all")
    assert reader.loads == 1


def test_count_of_a_thinned_chart_grows_with_the_training(
    reader: Reader, server: LiveServer
) -> None:
    job = PlainJob(server.url, "counted", project="counted")
    job.log({"loss": np.linspace(3, 1, 5_000)})
    reader.open("/projects/counted")
    reader.wait_for_points("loss")
    assert " of 5,000 points · zoom for all" in reader.note("loss")

    job.log({"loss": [0.5, 0.25]}, first_step=5_000)

    wait_until(lambda: " of 5,002 points" in reader.note("loss"), 30, "live points count")


@pytest.mark.usefixtures("long_run")
def test_link_restores_the_view(reader: Reader) -> None:
    reader.open("/projects/long?xr=120000,130000&log=loss&smooth=0.9&outliers=off")

    def is_restored(drawn: dict[str, Any]) -> bool:
        return drawn["isLog"] and drawn["x"] == [120_000, 130_000] and len(drawn["xs"]) > 500

    loss = reader.wait_until_drawn("loss", is_restored, "the link's view is drawn")
    other = reader.wait_until_drawn("other", lambda d: d["x"] == loss["x"], "zoomed as well")

    assert loss["kinds"] == ["raw", "smoothed"]
    assert other["isLog"] is False
    assert other["y"][1] < SPIKE / 4
    assert "1 outlier hidden" in reader.note("other")
    expect(reader.page.locator("[data-smoothing]")).to_have_value("0.9")
    expect(reader.page.locator("[data-outliers]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("long_run")
def test_smoothing_is_exact_when_the_slider_rests(reader: Reader) -> None:
    reader.open("/projects/long")
    reader.wait_for_points("loss")
    values = np.sin(np.arange(LONG) / 3e4)
    values[SPIKE_AT] = SPIKE
    weight, average = 0.99, 0.0
    for step in range(SPIKE_AT + 1):  # so far from the start that there is no bias left
        average = average * weight + values[step] * (1 - weight)

    reader.page.locator("[data-smoothing]").focus()
    reader.page.keyboard.press("End")

    def is_exact(drawn: dict[str, Any]) -> bool:
        if drawn["kinds"] != ["raw", "smoothed"]:
            return False
        at_spike = drawn["columns"][1][drawn["xs"].index(SPIKE_AT)]
        return bool(at_spike == pytest.approx(average, rel=1e-9))

    reader.wait_until_drawn("loss", is_exact, "the average of all logged points is drawn")
    assert reader.page.url.endswith("?smooth=0.99")


@pytest.mark.usefixtures("several_runs")
def test_menu_of_a_chart(reader: Reader) -> None:
    reader.open("/projects/several")
    reader.wait_for_points("loss", 50)
    chart = reader.page.locator('metric-chart[data-metric="loss"]')
    chart.locator(".chart-menu summary").click()

    chart.get_by_role("button", name="Log scale").click()
    reader.wait_until_drawn("loss", lambda d: d["isLog"], "a log axis")
    expect(chart.locator(".menu-items [data-log]")).to_have_attribute("aria-pressed", "true")
    assert reader.drawn("accuracy")["isLog"] is False

    points = reader.page.request.get(
        f"{reader.server.url}{chart.locator('[data-json]').get_attribute('href')}"
    ).json()
    assert sorted(points["metrics"]["loss"]) == ["run-0", "run-1", "run-2"]
    chart.get_by_role("button", name="Table").click()
    expect(reader.page.locator("#metric-table tbody tr")).to_have_count(3)


@pytest.mark.usefixtures("several_runs")
def test_axis_of_all_charts_is_chosen(reader: Reader) -> None:
    reader.open("/projects/several")
    assert reader.wait_for_points("loss", 50)["x"] == [0, 49]

    reader.page.locator("[data-x]").select_option("time")
    moments = reader.wait_until_drawn("loss", lambda d: d["x"][0] > 1e12, "wall time")
    assert moments["xs"] == sorted(moments["xs"])

    reader.page.locator("[data-x]").select_option("metric")
    reader.page.locator("[data-x-metric]").fill("loss")
    reader.page.locator("[data-x-metric]").press("Enter")
    metric = reader.wait_until_drawn("accuracy", lambda d: d["x"] == [1, 5], "loss is the axis")

    # Accuracy was logged as 1 - loss / 10.
    values = [next(v for v in row if v is not None) for row in zip(*metric["columns"], strict=True)]
    assert values == pytest.approx([1 - x / 10 for x in metric["xs"]])
    assert reader.page.url.endswith("?x=metric:loss")


@pytest.mark.usefixtures("several_runs")
def test_groups_are_drawn_with_bands_and_a_legend(reader: Reader) -> None:
    reader.open("/projects/several")
    reader.wait_for_points("loss", 50)

    reader.page.locator("[data-group-by]").fill("config.lr")
    reader.page.locator("[data-group-by]").press("Enter")
    drawn = reader.wait_until_drawn("loss", lambda d: "low" in d["kinds"], "bands are drawn")

    assert reader.page.locator("#group-legend li").all_inner_texts() == ["0.1\n2", "0.5\n1"]
    assert sorted(set(drawn["names"])) == ["0.1", "0.5"]
    of_pair = [i for i, name in enumerate(drawn["names"]) if name == "0.1"]
    first = {drawn["kinds"][i]: drawn["columns"][i][0] for i in of_pair}
    assert first == {"low": 3, "high": 4, "raw": 3.5}
    assert reader.note("loss").startswith("3 runs in 2 groups")
    assert reader.swatches() == reader.group_colors(["0.5", "0.1", "0.1"])

    reader.page.locator("[data-group-by]").fill("")
    reader.page.locator("[data-group-by]").press("Enter")
    reader.wait_until_drawn("loss", lambda d: "low" not in d["kinds"], "each run is drawn")
    assert len(set(reader.swatches())) == 3, "runs have their own colours again"


@pytest.mark.usefixtures("several_runs")
def test_mistyped_group_is_told_once(reader: Reader) -> None:
    reader.open("/projects/several")
    reader.wait_for_points("loss", 50)
    colors = reader.swatches()
    field = reader.page.locator("[data-group-by]")
    field.fill("confg.lr")
    field.press("Enter")

    expect(reader.page.locator("#group-legend .problem")).to_contain_text("'confg.lr' is neither")
    drawn = reader.wait_for_points("loss", 50)
    assert sorted(drawn["names"]) == ["run-0", "run-1", "run-2"]
    assert reader.note("loss").startswith("150 points")
    assert reader.page.get_by_text("is neither an attribute").count() == 1
    assert reader.swatches() == colors
    assert not [url for url in reader.asked_metrics() if "group=" in url]


@pytest.mark.usefixtures("several_runs")
def test_group_field_shows_all_of_a_name(reader: Reader) -> None:
    reader.open("/projects/several")
    field = reader.page.locator("[data-group-by]")
    field.fill("config.optimizer")

    assert field.evaluate("field => field.scrollWidth <= field.clientWidth")


def test_repeated_colors_are_told_apart_in_the_list(reader: Reader, server: LiveServer) -> None:
    for number in range(14):
        PlainJob(server.url, f"run-{number:02}", project="crowd").log({"loss": [1.0, number]})
    reader.open("/projects/crowd?top=20")
    reader.wait_for_points("loss", 2)

    looks = reader.page.locator("#run-list .swatch").evaluate_all(
        "all => all.map((one) => { const s = getComputedStyle(one);"
        " return s.borderTopColor + s.borderTopStyle; })"
    )

    assert len(set(looks)) == 14


def test_runs_without_a_single_number_are_drawn(reader: Reader, server: LiveServer) -> None:
    PlainJob(server.url, "nan", project="odd").log({"loss": [float("nan")] * 5})
    PlainJob(server.url, "__proto__", project="odd").log({"loss": [1.0, float("inf"), 3.0]})
    PlainJob(server.url, "one", project="odd").log({"loss": [2.0], "__proto__": [7.0]})
    reader.open("/projects/odd")

    drawn = reader.wait_until_drawn("loss", lambda d: len(d["xs"]) == 5, "all steps are drawn")
    lonely = reader.wait_for_points("__proto__")

    by_name = dict(zip(drawn["names"], drawn["columns"], strict=True))
    assert by_name["nan"] == [None] * 5
    assert by_name["__proto__"][:3] == [1, None, 3]
    assert by_name["one"][0] == 2
    assert lonely["columns"] == [[7]]
    # JSON, which such a name needs, has no infinity.
    assert reader.note("loss").startswith("9 points · 6 NaN")
    assert drawn["y"] == pytest.approx([0.88, 3.12])


def test_sections_share_their_columns(reader: Reader, server: LiveServer) -> None:
    names = ["lonely", "train/a", "train/b", "val/a", "val/b", "val/c"]
    PlainJob(server.url, "one", project="columns").log({name: [1.0] for name in names})
    reader.open("/projects/columns")
    reader.wait_for_points("lonely")

    cells = reader.page.locator(".chart-cell")
    boxes = cells.evaluate_all(
        "cells => cells.map((cell) => { const { left, width } = cell.getBoundingClientRect();"
        " return [left, width]; })"
    )
    assert boxes[1:3] == boxes[3:5]
    assert boxes[0] == boxes[1]


def test_whole_screen_tells_which_chart_and_whose_lines(reader: Reader, server: LiveServer) -> None:
    for number in range(13):
        PlainJob(server.url, f"run-{number:02}", project="screen").log({"train/loss": [1.0, 2]})
    reader.open("/projects/screen?top=20")
    reader.wait_for_points("train/loss")
    chart = reader.page.locator("metric-chart")
    title = chart.locator("h3")
    assert title.inner_text() == "loss"

    chart.hover()
    chart.locator("[data-full]").click()
    expect(title).to_have_text("train/loss", use_inner_text=True)
    names = chart.locator(".chart-legend li").all_inner_texts()
    assert (names[0], names[-1], len(names)) == ("run-12", "and 1 more", 13)

    reader.page.keyboard.press("Escape")
    expect(title).to_have_text("loss", use_inner_text=True)
    expect(chart.locator(".chart-legend")).to_have_count(0)
    reader.page.get_by_label("Filter metrics").fill("loss")
    expect(title).to_have_text("train/loss", use_inner_text=True)


@pytest.mark.usefixtures("several_runs")
def test_chart_is_read_and_zoomed_with_keys(reader: Reader) -> None:
    reader.open("/projects/several")
    reader.wait_for_points("loss", 50)
    plot = reader.page.locator('metric-chart[data-metric="loss"] .chart-plot')
    tip, voice = plot.locator(".chart-tip"), reader.page.locator(".chart-voice")
    plot.focus()

    for key in ["End", "ArrowLeft", "ArrowLeft", "ArrowRight"]:
        reader.page.keyboard.press(key)
    expect(tip).to_contain_text("step 48")
    expect(voice).to_have_text("step 48: run-2 1.082, run-1 1.061, run-0 1.041")

    reader.page.keyboard.press("+")
    zoomed = reader.wait_until_drawn("accuracy", lambda d: d["x"][0] > 20, "all charts zoom")
    assert zoomed["x"][1] - zoomed["x"][0] == pytest.approx(24.5)
    reader.page.keyboard.press("-")
    reader.wait_until_drawn("accuracy", lambda d: d["x"] == [0, 49], "all is shown again")
    reader.page.keyboard.press("+")
    reader.wait_until_drawn("accuracy", lambda d: d["x"][0] > 20, "all charts zoom")
    reader.page.keyboard.press("Escape")
    reader.wait_until_drawn("accuracy", lambda d: d["x"] == [0, 49], "Esc shows all")

    reader.page.keyboard.press("Tab")
    expect(tip).to_be_hidden()


def test_restarted_steps_are_lines_of_their_own(reader: Reader, server: LiveServer) -> None:
    job = PlainJob(server.url, "restarted", project="again")
    job.log({"loss": [5.0] * 20})
    job.log({"loss": [4.0] * 10}, first_step=10)
    reader.open("/projects/again")
    drawn = reader.wait_for_points("loss", 20)
    assert [[v for v in c if v is not None] for c in drawn["columns"]] == [[5] * 20, [4] * 10]

    job.log({"loss": [3.0] * 5}, first_step=2)
    live = reader.wait_until_drawn("loss", lambda d: len(d["columns"]) == 3, "a live restart")

    assert [v for v in live["columns"][2] if v is not None] == [3] * 5


def test_groups_follow_the_training(reader: Reader, server: LiveServer) -> None:
    job = PlainJob(server.url, "grouped", project="growing", config={"lr": 1})
    job.log({"loss": [1.0] * 5})
    reader.open("/projects/growing?group=config.lr")
    reader.wait_for_points("loss", 5)

    job.log({"loss": [2.0] * 5}, first_step=5)

    drawn = reader.wait_for_points("loss", 10)
    assert drawn["columns"][2] == [1] * 5 + [2] * 5
    assert len(reader.asked_metrics()) <= 3, "all that comes at once is asked for once"


def test_links_keep_the_view_of_the_charts(reader: Reader, server: LiveServer) -> None:
    names = [f"metric-{number:02}" for number in range(70)]
    PlainJob(server.url, "wide", project="wide").log({name: [1.0, 2.0] for name in names})
    reader.open("/projects/wide")
    reader.wait_for_points(names[0])
    reader.page.locator("[data-log-all]").click()

    reader.page.get_by_role("link", name="Show more").click()
    reader.page.locator("metric-chart").nth(69).scroll_into_view_if_needed()

    assert reader.wait_for_points(names[69])["isLog"] is True
    assert reader.page.url.endswith("?charts=120&log=*")


def test_only_charts_in_view_are_fetched(reader: Reader, server: LiveServer) -> None:
    names = [f"section-{number:02}/metric" for number in range(40)]
    PlainJob(server.url, "many", project="many").log({name: [1.0, 2.0] for name in names})
    reader.open("/projects/many?fold=section-00")
    reader.wait_for_points(names[1])

    asked = " ".join(reader.asked_metrics())
    assert "section-00" not in asked, "it is folded"
    assert "section-39" not in asked, "it is far below"

    reader.page.locator("metric-chart").last.scroll_into_view_if_needed()
    reader.wait_for_points(names[39])


def test_live_dot_speaks_only_while_a_run_is_running(reader: Reader, server: LiveServer) -> None:
    job = PlainJob(server.url, "alive", project="alive")
    job.log({"loss": [1.0]})
    reader.open("/projects/alive")
    word = reader.page.locator(".live-word")
    expect(word).to_have_text("Live")

    job.log({"loss": [1.0]}, first_step=1)
    expect(word).to_have_text("Live · just now")
    job.event("finish", status="completed")
    expect(word).to_have_text("")
