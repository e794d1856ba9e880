import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.templatetags.dashboard_format import (
    age_text,
    ago,
    both_ends,
    duration,
    figure,
    flatten,
    pretty_json,
    series_class,
)
from tests.factories import make_run
from tracking.models import Run

FIGURES = json.loads((Path(__file__).parents[2] / "js" / "figures.json").read_text())


@pytest.mark.parametrize(("value", "text"), FIGURES)
def test_figure_reads_as_the_charts_write_it(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (True, "true"),
        ("NaN", "NaN"),
        ([1, "é"], '[1, "é"]'),
    ],
)
def test_figure_of_what_is_not_a_finite_number(value: Any, text: str) -> None:
    assert figure(value) == text


def test_figure_of_a_last_value_that_was_nan() -> None:
    assert figure(None, "NaN") == "NaN"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 m"),
        (843, "14 m 3 s"),
        (8040, "2 h 14 m"),
        (3605, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_duration_has_its_two_greatest_units(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (4, "just now"), (5, "5 s ago"), (3599, "59 m ago"), (900_000, "10 d ago")],
)
def test_age_has_one_unit(seconds: float, text: str) -> None:
    assert age_text(timedelta(seconds=seconds)) == text


def test_ago_carries_the_exact_time() -> None:
    html = ago(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    assert 'datetime="2026-01-02T03:04:05.000+00:00" title="2026-01-02 03:04:05 UTC"' in html


def test_flatten_gives_dotted_keys() -> None:
    tree = {"a": {"b": 1, "c": {"d": [1]}}, "e": {}, "f": None}

    assert flatten(tree) == [("a.b", 1), ("a.c.d", [1]), ("e", {}), ("f", None)]
    assert flatten({}) == []


def test_pretty_json_keeps_letters() -> None:
    assert pretty_json({"a": "é"}) == '{\n  "a": "é"\n}'


@pytest.mark.django_db
def test_newest_twelve_runs_of_a_project_have_twelve_colours() -> None:
    for number in range(13):
        make_run("other", project=f"elsewhere-{number}")
        make_run(f"run-{number}")

    runs = Run.objects.filter(project__key="proj").order_by("-pk")[:12]

    assert len({series_class(run) for run in runs}) == 12


def test_a_long_name_keeps_its_end_apart() -> None:
    assert both_ends("a" * 24) == "a" * 24
    assert both_ends("<b>" + "a" * 20 + "-end") == (
        '<span class="both-ends" dir="auto" role="img" title="&lt;b&gt;aaaaaaaaaaaaaaaaaaaa-end">'
        "<span>&lt;b&gt;aaaaaaaaaaaa</span><span>aaaaaaaa-end</span></span>"
    )
