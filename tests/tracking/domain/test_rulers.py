"""A metric as the axis, where rows of several streams are drawn."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, log_rows, make_run
from tracking.domain.axes import Axis
from tracking.domain.series import Window, read_series
from tracking.models import Run

pytestmark = pytest.mark.django_db


def drawn(run: Run, axis: str, *names: str) -> dict[str, Any]:
    """`{metric: [(x, value), …]}`"""
    window = Window(axis=Axis("metric", axis))
    return {
        one.metric: list(zip(one.x.tolist(), one.columns.values.tolist(), strict=True))
        for one in read_series([run], window, names=list(names) or None)
        if one.x is not None
    }


@pytest.mark.parametrize("axis", ["train/epoch", "eval/epoch", "epoch"])
def test_each_stream_is_measured_by_its_own_field(axis: str) -> None:
    run = make_run()
    log_rows(run, {"epoch": 1, "loss": 0.5}, {"acc": 0.7}, {"epoch": 2, "loss": 0.4})
    log_rows(run, {"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.8}, stream="eval")

    assert drawn(run, axis, "train/loss", "eval/loss") == {
        "eval/loss": [(1.0, 0.9), (2.0, 0.8)],
        "train/loss": [(1.0, 0.5), (2.0, 0.4)],
    }


def test_stream_without_the_field_draws_nothing() -> None:
    run = make_run()
    log_rows(run, {"epoch": 1, "loss": 0.5})
    log_rows(run, {"loss": 0.9}, stream="eval")

    assert drawn(run, "train/epoch", "train/loss", "eval/loss") == {"train/loss": [(1.0, 0.5)]}


def test_longest_name_of_a_stream_counts() -> None:
    run = make_run()
    log_rows(run, {"b/epoch": 7, "b/x": 1.0}, stream="a")
    log_rows(run, {"epoch": 8, "x": 2.0}, stream="a/c")

    assert drawn(run, "a/c/epoch", "a/c/x") == {"a/c/x": [(8.0, 2.0)]}


def test_runs_without_streams_are_measured_as_they_are() -> None:
    run = make_run()
    log_points(run, {"train/epoch": [1.0, 2.0], "eval/loss": [5.0, 6.0]})

    assert drawn(run, "train/epoch", "eval/loss") == {"eval/loss": [(1.0, 5.0), (2.0, 6.0)]}


def test_queries_are_as_many_for_many_streams_as_for_one() -> None:
    run = make_run()
    counts = []
    for stream in ("a", "b", "c"):
        log_rows(run, {"epoch": 1, "loss": 0.5}, stream=stream)
        with CaptureQueriesContext(connection) as queries:
            drawn(run, "epoch")
        counts.append(len(queries))

    assert counts == [5, 5, 5]
