"""Runs of all three surfaces in one project: side by side in each of its pages, and in its API."""

import json

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import log_points, log_rows, make_run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj"
KEYS = ["sweeps~lr~exp", "plain", "my-run-2"]
CHOSEN = "&".join(f"run={key}" for key in KEYS)


@pytest.fixture(autouse=True)
def _runs() -> None:
    """The oldest one is ML-Dash's."""
    dash = make_run(KEYS[0], name="exp", folder="sweeps/lr", source="ml_dash", config={"lr": 1})
    log_rows(dash, {"loss": 0.5, "word": "x"}, {"loss": 0.25})
    log_points(make_run(KEYS[1], config={"lr": 2}), {"train/loss": [0.5, 0.125]})
    log_points(make_run(KEYS[2], name="My run", source="ai_manager"), {"train/loss": [1.0]})


def html(page: HttpResponse) -> str:
    return page.content.decode()


def test_table_says_where_each_run_came_in(client: Client) -> None:
    page = client.get(f"{PATH}/runs")

    table = page.context["table"]
    assert table.columns.names[:4] == ["status", "folder", "source", "started"]
    shown = [row.cells for row in table.rows]
    assert ["<td>AI Manager</td>" in cells for cells in shown] == [True, False, False]
    assert ["<td>Aspara</td>" in cells for cells in shown] == [False, True, False]
    assert ["<td>sweeps/lr</td><td>ML-Dash</td>" in cells for cells in shown] == [
        False,
        False,
        True,
    ]
    assert f'href="{PATH}/runs/sweeps~lr~exp"' in html(page)


def test_columns_for_folder_and_source_are_only_where_they_tell_something(client: Client) -> None:
    make_run("another", project="other")

    columns = client.get("/projects/other/runs").context["table"].columns

    assert columns.names == ["status", "started", "duration", "tags"]


def test_runs_are_filtered_and_exported_by_source(client: Client) -> None:
    params = {"q": "source = ml_dash", "col": ["source", "folder", "train/loss"], "format": "json"}

    twin = client.get(f"{PATH}/runs", params)

    assert json.loads(twin.content)["runs"] == [
        {"run": KEYS[0], "source": "ml_dash", "folder": "sweeps/lr", "train/loss": 0.25}
    ]


def test_charts_draw_all_of_them_by_their_names(client: Client) -> None:
    page = client.get(PATH)

    assert [run.key for run in page.context["selection"].chosen] == KEYS[::-1]
    assert 'data-metric="train/loss"' in html(page)
    assert 'data-run="sweeps~lr~exp"' in html(page)
    assert 'data-name="sweeps/lr/exp"' in html(page)
    assert 'data-name="My run"' in html(page)


def test_api_gives_their_curves_together(client: Client) -> None:
    params = {"runs": ",".join(KEYS), "metric": "train/loss", "format": "json"}

    answer = client.get("/api/projects/proj/runs/metrics", params)

    curves = json.loads(answer.content)["metrics"]["train/loss"]
    assert {key: curve["values"] for key, curve in curves.items()} == {
        KEYS[0]: [0.5, 0.25],
        KEYS[1]: [0.5, 0.125],
        KEYS[2]: [1.0],
    }


def test_comparison_sets_them_side_by_side(client: Client) -> None:
    page = client.get(f"{PATH}/compare?{CHOSEN}")
    twin = json.loads(client.get(f"{PATH}/compare?{CHOSEN}&format=json").content)

    assert [run.key for run in page.context["comparison"].runs] == KEYS
    assert "sweeps/lr/exp" in html(page)
    assert f'href="{PATH}/runs/sweeps~lr~exp"' in html(page)
    rows = {row["key"]: row["values"] for row in twin["rows"]}
    assert rows["lr"] == {KEYS[0]: 1, KEYS[1]: 2}
    assert rows["train/loss.last"] == {KEYS[0]: 0.25, KEYS[1]: 0.125, KEYS[2]: 1.0}


@pytest.mark.parametrize(
    "part", ["", "/config", "/metrics", "/logs", "/rows", "/artifacts", "/name"]
)
def test_parts_of_a_run_are_found_by_a_key_with_tildes(client: Client, part: str) -> None:
    page = client.get(f"{PATH}/runs/{KEYS[0]}{part}")

    assert page.status_code == 200
    assert f"{PATH}/runs/{KEYS[0]}" in html(page)


def test_groups_by_source_have_a_curve_each(client: Client) -> None:
    page = client.get(PATH, {"group": "source"})

    assert [entry.name for entry in page.context["grid"]().legend.entries] == [
        "ai_manager",
        "aspara",
        "ml_dash",
    ]
