import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracking.domain.smoothing import smooth


def one_by_one(values: list[float], weight: float) -> list[float]:
    """The definition, as a loop."""
    average = mass = 0.0
    smoothed = []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        average = average * weight + (1 - weight) * value
        mass = mass * weight + (1 - weight)
        smoothed.append(average / mass)
    return smoothed


def test_smoothed_values_of_a_jump():
    smoothed = smooth(np.array([0.0, 0.0, 3.0]), 0.5)

    assert smoothed.tolist() == pytest.approx([0, 0, 1.5 / 0.875])


def test_weight_zero_leaves_the_values():
    assert smooth(np.array([1.0, math.nan]), 0.0).tolist() == pytest.approx(
        [1, math.nan], nan_ok=True
    )


def test_not_finite_values_stay_and_leave_no_trace():
    values = np.array([math.nan, 2.0, math.inf, 4.0, -math.inf, math.nan])

    smoothed = smooth(values, 0.9)

    assert smoothed[[0, 2, 4, 5]].tolist() == pytest.approx(
        [math.nan, math.inf, -math.inf, math.nan], nan_ok=True
    )
    assert smoothed[[1, 3]].tolist() == pytest.approx(one_by_one([2.0, 4.0], 0.9))
    assert values[3] == 4.0


@given(
    st.lists(st.floats(width=32), max_size=300),
    st.one_of(st.just(0.999), st.floats(0, 0.999)),
)
@example([1e300, 1e-300] * 500, 0.999)
@example([1.0] * 5_000, 0.999)
@example([], 0.5)
def test_any_series_is_smoothed_as_the_loop_does_it(values, weight):
    smoothed = smooth(np.array(values, np.float64), weight)

    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    assert smoothed.tolist() == pytest.approx(
        one_by_one(values, weight), rel=1e-9, abs=1e-12 * largest, nan_ok=True
    )
