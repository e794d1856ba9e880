import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.domain.downsample import chart_order, downsample
from tracking.points import Columns


def columns(values, steps=None) -> Columns:
    values = np.asarray(values, np.float64)
    steps = np.arange(len(values)) if steps is None else np.asarray(steps, np.int64)
    return Columns(steps, values, np.arange(len(values)))


def test_short_series_is_left_alone():
    short = columns(range(1000))

    assert downsample(short, 1000) is short


def test_first_last_and_planted_spikes_are_kept():
    values = np.sin(np.arange(100_000) / 500)
    values[[12_345, 77_777]] = [50.0, -50.0]

    small = downsample(columns(values), 1000)

    assert len(small) <= 1000
    assert {0, 12_345, 77_777, 99_999} <= set(small.steps.tolist())
    assert (np.diff(small.steps) > 0).all()


def test_gaps_and_infinities_are_kept_apart():
    values = np.zeros(10_000)
    values[[1_000, 2_000, 3_000]] = [np.nan, np.inf, -np.inf]
    values[5_000:6_000] = np.nan

    small = downsample(columns(values), 1000)

    kept = dict(zip(small.steps.tolist(), small.values.tolist(), strict=True))
    assert np.isnan(kept[1_000])
    assert (kept[2_000], kept[3_000]) == (np.inf, -np.inf)
    assert any(5_000 <= step < 6_000 and np.isnan(value) for step, value in kept.items())
    assert len(small) <= 1000


@pytest.mark.parametrize(
    "values", [np.full(5_000, np.nan), np.full(5_000, np.inf), np.zeros(5_000)]
)
def test_monotonous_series_stays_drawable(values):
    small = downsample(columns(values), 100)

    assert 2 <= len(small) <= 100
    assert np.array_equal(small.values, values[small.steps], equal_nan=True)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=400),
    st.integers(10, 100),
)
def test_every_extreme_survives_in_any_series(values, max_points):
    whole = columns(values)

    small = downsample(whole, max_points)

    finite = whole.values[np.isfinite(whole.values)]
    assert len(small) <= max(max_points, 10)
    assert np.array_equal(small.values, whole.values[small.steps], equal_nan=True)
    if len(finite):
        drawn = small.values[np.isfinite(small.values)]
        assert (drawn.min(), drawn.max()) == (finite.min(), finite.max())
    for kind in (np.isnan, np.isposinf, np.isneginf):
        assert kind(small.values).any() == kind(whole.values).any()


def test_chart_order_sorts_and_takes_the_newest_of_equal_steps():
    ordered = chart_order(columns([1, 2, 3, 4, 5], steps=[3, 1, 3, 2, 1]))

    assert ordered.steps.tolist() == [1, 2, 3]
    assert ordered.values.tolist() == [5, 4, 3]


def test_chart_order_of_ascending_steps_copies_nothing():
    ascending = columns([1, 2, 3])

    assert chart_order(ascending) is ascending
