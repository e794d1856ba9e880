import pytest
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from dashboard.panels import ChartGrid, chart_grid, grid_of
from tests.factories import log_points, make_run
from tracking.models import Run

pytestmark = pytest.mark.django_db


def titles(grid: ChartGrid) -> list[tuple[str, list[str]]]:
    return [(section.title, [panel.title for panel in section.panels]) for section in grid.sections]


@pytest.fixture
def runs() -> list[Run]:
    runs = [make_run(f"run-{lr}", config={"lr": lr}) for lr in (0.1, 0.3, 0.5)]
    for run in runs:
        log_points(run, {"train/loss": [1.0], "val/loss": [1.0], "layer10": [1.0], "layer2": [1.0]})
    return runs


def test_grid_has_a_section_for_each_prefix(runs: list[Run]) -> None:
    assert titles(chart_grid(runs)) == [
        ("", ["layer2", "layer10"]),
        ("train", ["loss"]),
        ("val", ["loss"]),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("TRAIN", [("train", ["loss"])]),
        ("/^val|10$/", [("", ["layer10"]), ("val", ["loss"])]),
        ("nothing", []),
    ],
)
def test_metrics_are_found_by_text_and_by_pattern(
    runs: list[Run], query: str, found: list[object]
) -> None:
    assert titles(chart_grid(runs, query=query)) == found


def test_url_folds_sections(runs: list[Run]) -> None:
    grid = grid_of(runs, QueryDict("fold=train&fold=unknown"))

    assert [(section.title, section.is_open) for section in grid.sections] == [
        ("", True),
        ("train", False),
        ("val", True),
    ]


def test_url_groups_runs(
    runs: list[Run], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = make_run("other")
    with django_assert_num_queries(2):
        legend = grid_of([*runs, other], QueryDict("group=config.lr")).legend

    assert legend
    assert (legend.label, legend.problem) == ("lr", "")
    assert [(entry.name, len(entry.run_ids), entry.color) for entry in legend.entries] == [
        ("0.1", 1, 0),
        ("0.3", 1, 1),
        ("0.5", 1, 2),
        ("–", 1, 3),
    ]


@pytest.mark.parametrize("group", ["loss", "config.", 'a"b'])
def test_field_that_cannot_group_says_why(runs: list[Run], group: str) -> None:
    legend = chart_grid(runs, group=group).legend

    assert legend
    assert (legend.entries, bool(legend.problem)) == ([], True)


def test_too_many_groups_are_not_drawn() -> None:
    runs = [make_run(f"run-{number}", config={"number": number}) for number in range(51)]

    legend = chart_grid(runs, group="config.number").legend

    assert legend
    assert legend.entries == []
    assert legend.problem == "51 values: at most 50 groups can be drawn."


def test_runs_may_be_grouped_by_what_they_have(runs: list[Run]) -> None:
    names = [field.name for field in chart_grid(runs).group_fields]

    assert names[:2] == ["status", "name"]
    assert "config.lr" in names
    assert "train/loss" not in names
