import math
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.factories import NOON_US
from tracking.domain.axes import Axis, read_axis
from tracking.errors import InvalidInput
from tracking.models import Run
from tracking.points import Columns

RUN = Run(started_at=datetime.fromtimestamp(NOON_US // 10**6, UTC))


def columns(values, steps=None, seconds=None) -> Columns:
    values = np.asarray(values, np.float64)
    steps = np.arange(len(values)) if steps is None else np.asarray(steps, np.int64)
    seconds = steps if seconds is None else np.asarray(seconds, np.float64)
    return Columns(steps, values, (NOON_US + seconds * 1_000_000).astype(np.int64))


def test_step_needs_no_column_of_its_own():
    points = columns([1, 2])

    line = Axis().lay_out(points, RUN, None)

    assert line.columns is points
    assert line.x is None
    assert line.places is points.steps


def test_time_is_in_ms_and_relative_time_in_seconds():
    points = columns([1, 2], seconds=[0.25, 1.5])

    time = Axis("time").lay_out(points, RUN, None)
    relative = Axis("relative").lay_out(points, RUN, None)

    assert time.places.tolist() == [NOON_US / 1000 + 250, NOON_US / 1000 + 1500]
    assert relative.places.tolist() == [0.25, 1.5]


def test_points_ascend_on_the_axis_and_the_greatest_of_steps_at_one_place_is_last():
    points = columns([1, 2, 3, 4], seconds=[5, 7, 5, 1])

    line = Axis("relative").lay_out(points, RUN, None)

    assert line.places.tolist() == [1, 5, 5, 7]
    assert line.columns.steps.tolist() == [3, 0, 2, 1]
    assert line.columns.values.tolist() == [4, 1, 3, 2]


def test_metric_as_axis_joins_at_equal_steps_and_leaves_out_what_has_no_place():
    points = columns([10, 20, 30, 40, 50], steps=[0, 1, 2, 3, 9])
    ruler = columns([5, math.nan, math.inf, 1], steps=[0, 1, 2, 3])

    line = Axis("metric", "epoch").lay_out(points, RUN, ruler)

    assert line.places.tolist() == [1, 5]
    assert line.columns.values.tolist() == [40, 10]


def test_metric_as_axis_of_equal_steps():
    line = Axis("metric", "epoch").lay_out(columns([1, 2]), RUN, columns([0.5, 0.25]))

    assert line.places.tolist() == [0.25, 0.5]
    assert line.columns.steps.tolist() == [1, 0]


def test_run_without_the_metric_draws_nothing():
    assert len(Axis("metric", "epoch").lay_out(columns([1, 2]), RUN, None)) == 0


def test_axis_is_read_from_its_word():
    words = ("step", "time", "relative", "metric:a: b")

    assert [read_axis(word) for word in words] == [
        Axis("step"), Axis("time"), Axis("relative"), Axis("metric", "a: b"),
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["", "Step", "metric", "metric:", "metric:a\nb"])
def test_word_that_is_no_axis_is_refused(word):
    with pytest.raises(InvalidInput):
        read_axis(word)
