"""Rows as they were logged, and the series that are drawn of them."""

import math
from typing import Any

import pytest
from django.db import transaction

from tests.factories import make_run
from tracking.domain import rows
from tracking.domain.rows import Appended, LoggedRow, Stream, append_rows, read_rows
from tracking.models import RowBlock, Run

pytestmark = pytest.mark.django_db


def append(run: Run, *fields: dict[str, Any], stream: str = "train") -> dict[str, Appended]:
    with transaction.atomic():
        return append_rows(run, [LoggedRow(stream, 1_000_000, one) for one in fields])


def fields_of(run: Run, stream: str = "train", **span: int) -> list[dict[str, Any]]:
    return [row.fields for row in read_rows(run, stream, **{"limit": 10_000, **span})]


def test_rows_come_back_exactly_as_they_were_logged() -> None:
    run = make_run()
    logged = [
        {"loss": 0.5, "note": "warm-up", "shape": [1, 2], "nested": {"a": None}, "ok": True},
        {"loss": -0.0, "big": 2**80, "half": "\ud800"},
    ]

    append(run, *logged)

    assert fields_of(run) == [logged[0], {"loss": -0.0, "big": str(2**80), "half": "\ud800"}]


def test_nan_and_infinities_come_back() -> None:
    run = make_run()

    append(run, {"x": math.nan, "y": math.inf})

    [fields] = fields_of(run)
    assert math.isnan(fields["x"])
    assert fields["y"] == math.inf


def test_numbers_become_series_at_the_rows_numbers() -> None:
    run = make_run()

    append(run, {"loss": 3, "note": "text", "_ts": 12.5}, {"loss": 2.0, "deep": {"a": 7}})
    append(run, {"loss": True})

    columns = {metric.name: arrays for metric, arrays in _series(run)}
    assert list(columns) == ["train/deep/a", "train/loss"]
    assert columns["train/loss"].steps.tolist() == [0, 1, 2]
    assert columns["train/loss"].values.tolist() == [3.0, 2.0, 1.0]
    assert columns["train/loss"].times_us.tolist() == [12_500_000, 1_000_000, 1_000_000]
    assert columns["train/deep/a"].steps.tolist() == [1]


def _series(run: Run) -> list[Any]:
    arrays = run.points.arrays()  # type: ignore[attr-defined]
    return [(metric, arrays[metric.pk]) for metric in run.metrics.all()]


def test_the_stream_without_a_name_gives_its_fields_their_own_names() -> None:
    run = make_run()

    append(run, {"epoch": 1}, stream="")

    assert [metric.name for metric in run.metrics.all()] == ["epoch"]
    assert rows.list_streams(run) == [Stream("", 1)]


def test_each_stream_counts_its_own_rows() -> None:
    run = make_run()
    append(run, {"x": 1})

    with transaction.atomic():
        appended = append_rows(
            run, [LoggedRow(stream, 0, {"x": 1}) for stream in ("train", "eval", "train")]
        )

    assert appended == {"train": Appended(1, 2), "eval": Appended(0, 1)}
    assert rows.list_streams(run) == [Stream("eval", 1), Stream("train", 3)]
    assert rows.count_rows(run, "train") == 3
    assert rows.count_rows(run, "none") == 0


def test_a_page_of_rows_reads_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "OPEN_BYTES", 100)  # sealed after a few rows
    run = make_run()
    for number in range(30):
        append(run, {"n": number})

    assert RowBlock.objects.count() > 2
    assert fields_of(run, start=7, limit=11) == [{"n": number} for number in range(7, 18)]
    assert fields_of(run, start=28) == [{"n": 28}, {"n": 29}]
    assert fields_of(run, start=30) == []
    assert fields_of(run, start=-1, limit=3) == [{"n": 0}, {"n": 1}]
    assert [row.index for row in rows.iterate_rows(run, "train")] == list(range(30))


def test_a_small_block_is_added_to() -> None:
    run = make_run()

    append(run, {"n": 0})
    append(run, {"n": 1})

    assert list(RowBlock.objects.values_list("ordinal", "count")) == [(0, 2)]


def test_many_long_rows_of_one_call_lie_in_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FULL_BYTES", 100)
    run = make_run()
    append(run, {"n": 0})

    append(run, *({"n": n, "text": "x" * 40} for n in range(1, 8)))
    append(run, {"n": 8})

    blocks = RowBlock.objects.values_list("ordinal", "count")
    assert list(blocks) == [(0, 3), (3, 2), (5, 2), (7, 2)]
    assert [fields["n"] for fields in fields_of(run)] == list(range(9))
    assert [row.fields["n"] for row in read_rows(run, "train", start=6, limit=2)] == [6, 7]


def test_row_that_is_longer_than_any_block_comes_back() -> None:
    run = make_run()

    append(run, {"v": [0.5] * 8_000_000}, {"v": 1})  # 72 MB

    assert [len(fields_of(run, limit=1)[0]["v"]), fields_of(run, start=1)] == [
        8_000_000,
        [{"v": 1}],
    ]


def test_what_cannot_be_drawn_is_kept_and_told(settings: Any) -> None:
    settings.MAX_METRICS_PER_RUN = 1
    run = make_run()
    append(run, {"known": 1})

    append(run, {"known": 2, "n" * 300: 1, "new": 3, "huge": 10**400})

    run.refresh_from_db()
    assert [metric.count for metric in run.metrics.all()] == [2]
    assert fields_of(run)[1]["new"] == 3
    assert len(run.metadata["warnings"]) == 3


def test_rows_that_are_nested_too_deep_are_kept_as_text() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"d": deep}
    run = make_run()

    append(run, deep)

    assert len(fields_of(run)) == 1


def test_edges_are_the_first_row_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "OPEN_BYTES", 100)  # several blocks, some of them packed
    run = make_run()
    for n in range(20):
        append(run, {"n": n, "text": "x" * 30})
    append(run, {"n": 7}, stream="other")

    edges = rows.read_edges(run, ["train", "other", "none"])

    assert run.row_blocks.filter(stream="train").count() > 2
    assert {name: (one.index, two.index) for name, (one, two) in edges.items()} == {
        "train": (0, 19),
        "other": (0, 0),
    }
    assert [row.fields["n"] for row in edges["train"]] == [0, 19]
