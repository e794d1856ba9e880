import pytest

from dashboard.diffs import MISSING, Row, choose_rows, compare_values, delta_text, same
from tracking.models import Metric, Run


def make_runs() -> tuple[list[Run], list[Metric]]:
    one = Run(pk=1, config={"lr": 0.1, "opt": {"name": "adam", "eps": 1}}, summary={"acc": 0.5})
    two = Run(pk=2, config={"lr": 0.2, "opt": {"name": "adam"}}, summary={"acc": 0.5})
    metrics = [
        Metric(run=one, name="loss", count=2, last=1.0, min=0.5, max=1.0, last_step=1),
        Metric(run=two, name="loss", count=2, last=None, min=0.5, max=2.0, last_step=1),
        Metric(run=two, name="only", count=1, last=3.0, min=3.0, max=3.0, last_step=0),
        Metric(run=two, name="empty"),
    ]
    return [one, two], metrics


def as_tuples(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row.section, row.key, *row.values) for row in rows]


def test_differences_of_config_metrics_and_summary_are_found() -> None:
    rows = choose_rows(compare_values(*make_runs()))

    assert as_tuples(rows) == [
        ("Config", "lr", 0.1, 0.2),
        ("Config", "opt.eps", 1, MISSING),
        ("Metrics", "loss.last", 1.0, "NaN"),
        ("Metrics", "loss.max", 1.0, 2.0),
        ("Metrics", "only.last", MISSING, 3.0),
        ("Metrics", "only.min", MISSING, 3.0),
        ("Metrics", "only.max", MISSING, 3.0),
    ]


def test_everything_includes_what_is_the_same() -> None:
    rows = choose_rows(compare_values(*make_runs()), everything=True, query="o  NAME")

    assert as_tuples(rows) == [("Config", "opt.name", "adam", "adam")]


def test_what_runs_are_judged_by_comes_first() -> None:
    run = Run(pk=1, config={"lr": 0.1}, summary={"best": 1})
    names = ["lr", "system/gpu", "train/loss", "val/loss"]
    metrics = [Metric(run=run, name=name, count=1, last=1.0, last_step=0) for name in names]

    rows = compare_values([run], metrics)

    assert [row.key for row in rows if row.aggregate in {"", "last"}] == [
        *("lr", "best", "val/loss.last", "train/loss.last", "system/gpu.last", "lr.last"),
    ]


def test_what_cannot_be_read_in_a_metric_is_named_or_missing() -> None:
    run = Run(pk=1)
    metric = Metric(run=run, name="x", count=1, last=float("inf"), last_step=0)

    rows = compare_values([run], [metric])

    assert as_tuples(rows) == [
        ("Metrics", "x.last", "Infinity"),
        ("Metrics", "x.min", MISSING),
        ("Metrics", "x.max", MISSING),
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (None, MISSING, False),
        (None, None, True),
        ([1, "a"], [1, "a"], True),
        ("1", 1, False),
    ],
)
def test_same(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected


@pytest.mark.parametrize(
    ("value", "baseline", "text"),
    [
        (0.876, 1.0, "−12.4 %"),
        (1.5, 1.0, "+50 %"),
        (-0.5, -1.0, "+50 %"),
        (1.000001, 1.0, "+<0.01 %"),
        (1.0012, 1.0, "+0.12 %"),
        (0.1, 0.001, "×100"),
        (123_456, 1, "×123,000"),
        (-5, 1, "−600 %"),
        (1.0, 1.0, ""),
        (1.0, 0.0, ""),
        (True, 2, ""),
        ("NaN", 1.0, ""),
        (MISSING, 1.0, ""),
        (10**400, 3, ""),
        (1e308, 1e-308, ""),
    ],
)
def test_delta(value: object, baseline: object, text: str) -> None:
    assert delta_text(value, baseline) == text


def test_cells_say_what_changed_and_shorten_what_is_long() -> None:
    row = Row("Config", "text", "", ("a" * 500, "b", MISSING))

    assert [(cell.is_changed, cell.is_missing, cell.text, cell.title) for cell in row.cells] == [
        (False, False, "a" * 59 + "…", "a" * 299 + "…"),
        (True, False, "b", ""),
        (True, True, "–", ""),
    ]


def test_a_number_keeps_its_figures_on_hover() -> None:
    cell = Row("Config", "lr", "", (0.1, 0.123456789)).cells[1]

    assert (cell.text, cell.title, cell.delta) == ("0.1235", "0.123456789", "+23.5 %")
