"""A person looks at charts: zooms, changes their axes, groups runs, and sends the link on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.chart_reader import Reader, log_several_runs
from tests.e2e.live import LiveServer, live_server, wait_until
from tests.e2e.plain_job import PlainJob

pytestmark = pytest.mark.e2e
SPIKE_AT, SPIKE, LONG = 123_456, 40.0, 200_000


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture(scope="module")
def long_run(server: LiveServer) -> None:
    values = np.sin(np.arange(LONG) / 3e4)
    values[SPIKE_AT] = SPIKE
    PlainJob(server.url, "long", project="long").log({"loss": values, "other": values})


@pytest.fixture(scope="module")
def several_runs(server: LiveServer) -> None:
    log_several_runs(server)


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
