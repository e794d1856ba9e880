"""Whatever way rows take, their numbers become the same series."""

import math
from typing import Any

import pytest

from tracking.domain.row_series import (
    Pieces,
    _collect_columns,
    _collect_row_by_row,
    as_points,
    collect_series,
)
from tracking.domain.rows import LoggedRow
from tracking.points import Columns

Shown = dict[str, tuple[list[int], list[float], list[int]]]


def rows_of(*fields: dict[Any, Any], stream: str = "train") -> list[LoggedRow]:
    return [LoggedRow(stream, 1_000 + n, one) for n, one in enumerate(fields)]


def show(found: dict[str, Columns]) -> Shown:
    return {
        name: (one.steps.tolist(), one.values.tolist(), one.times_us.tolist())
        for name, one in found.items()
    }


@pytest.mark.parametrize(
    "fields",
    [
        [{"loss": 0.5, "n": 1}, {"loss": -0.0, "n": 2**60 + 1}],
        [{"x": 1, "note": "a", "list": [1], "gone": None}, {"x": True, "note": "b", "list": [], "gone": 1}],
        [{"x": math.inf, "_ts": 12.5}, {"x": 1.0, "_ts": 1_700_000_000.123456}],
        [{"x": 1.0, "_ts": math.nan}, {"x": 1.0, "_ts": -1e300}, {"x": 2.0, "_ts": 7}],
        [{"x": 1.0, "_ts": None}, {"x": 1.0, "_ts": "now"}, {"x": 1.0, "_ts": 3.0}],
        [{"_ts": 1.0}, {"_ts": 2.0}],
        [{}, {}],
    ],
)  # fmt: skip
def test_columns_are_what_each_row_says(fields: list[dict[str, Any]]) -> None:
    rows = rows_of(*fields)

    columns = _collect_columns(rows, 5)

    assert columns is not None
    assert show(columns) == show(_collect_row_by_row(rows, 5, {}))


@pytest.mark.parametrize("value", [{"a": 1}, (1, 2), 10**400, b"bytes"])
def test_rows_with_more_than_plain_values_take_a_closer_look(value: Any) -> None:
    assert _collect_columns(rows_of({"x": value}), 0) is None


def test_names_that_are_no_text_are_spelt_out() -> None:
    pieces: Pieces = {}

    collect_series(pieces, rows_of({1: 2.0}), 0, {})

    assert list(pieces) == ["train/1"]


def test_series_go_on_where_rows_change_their_shape() -> None:
    pieces: Pieces = {}
    warnings: dict[str, None] = {}
    rows = rows_of(
        {"a": 1}, {"a": 2}, {"b": 9, "a": 3}, {"a": 10**400}, {"a": {"deep": 4}}, stream=""
    )

    collect_series(pieces, rows, 7, warnings)

    points = as_points(pieces)
    assert points.names == ["a", "b", "a/deep"]
    assert points.counts.tolist() == [3, 1, 1]
    assert points.columns.steps.tolist() == [7, 8, 9, 9, 11]
    assert points.columns.values.tolist() == [1, 2, 3, 9, 4]
    assert points.columns.times_us.tolist() == [1_000, 1_001, 1_002, 1_002, 1_004]
    assert list(warnings) == ["'a': a number is beyond a float64."]
