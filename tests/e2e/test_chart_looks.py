"""A person tells lines apart: groups, colours and dashes, whole screen, keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.chart_reader import Reader, log_several_runs
from tests.e2e.live import LiveServer, live_server
from tests.e2e.plain_job import PlainJob

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture(scope="module")
def several_runs(server: LiveServer) -> None:
    log_several_runs(server)


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


def test_groups_follow_the_training(reader: Reader, server: LiveServer) -> None:
    job = PlainJob(server.url, "grouped", project="growing", config={"lr": 1})
    job.log({"loss": [1.0] * 5})
    reader.open("/projects/growing?group=config.lr")
    reader.wait_for_points("loss", 5)

    job.log({"loss": [2.0] * 5}, first_step=5)

    drawn = reader.wait_for_points("loss", 10)
    assert drawn["columns"][2] == [1] * 5 + [2] * 5
    assert len(reader.asked_metrics()) <= 3, "all that comes at once is asked for once"


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
