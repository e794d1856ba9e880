import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tracking.domain.bins import cut_into_bins

STEPS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30).map(sorted)
NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30).map(
    sorted
)


def steps(*places):
    return np.array(places, np.int64)


def test_runs_with_the_same_steps_have_a_bin_for_each():
    bins = cut_into_bins([steps(0, 10, 20, 30), steps(0, 10), steps(20)], 1_000)

    assert bins.centres.tolist() == [0, 10, 20, 30]
    assert bins.find(steps(10, 30)).tolist() == [1, 3]


def test_too_many_shared_steps_are_put_together():
    bins = cut_into_bins([np.arange(100), np.arange(50)], 10)

    assert bins.centres.tolist() == [4, 14, 24, 34, 44, 54, 64, 74, 84, 94]
    assert bins.find(steps(0, 9, 10, 99)).tolist() == [0, 0, 1, 9]


def test_runs_that_logged_at_different_steps_have_two_points_in_a_bin():
    bins = cut_into_bins([np.arange(0, 100, 10), np.arange(3, 100, 10)], 1_000)

    assert len(bins) == 5
    assert np.bincount(bins.find(np.arange(0, 100, 10))).tolist() == [2, 2, 2, 2, 2]


def test_times_are_cut_evenly_and_the_last_is_in():
    bins = cut_into_bins([np.array([0.0, 0.5, 3.0, 8.0]), np.array([1.0, 2.0, 4.0, 7.0])], 1_000)

    assert bins.centres.tolist() == [2, 6]
    assert bins.find(np.array([0.0, 3.9, 4.0, 8.0])).tolist() == [0, 0, 1, 1]


def test_one_place_is_one_bin():
    assert cut_into_bins([np.array([2.5, 2.5]), np.array([2.5])], 10).centres.tolist() == [2.5]


@example([[-(2**63)], [2**63 - 1]], 10)
@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(10, 20))
def test_any_steps_are_in_a_bin_in_their_order(lines, max_bins):
    check([np.array(line, np.int64) for line in lines], max_bins)


@example([[-1.7e308, 0.0], [1.7e308]], 10)
@given(st.lists(NUMBERS, min_size=1, max_size=4), st.integers(10, 20))
def test_any_numbers_are_in_a_bin_in_their_order(lines, max_bins):
    check([np.array(line, np.float64) for line in lines], max_bins)


def check(lines, max_bins):
    bins = cut_into_bins(lines, max_bins)

    assert len(bins) == len(bins.centres) <= max_bins
    assert (bins.centres[1:] >= bins.centres[:-1]).all()
    assert np.isfinite(bins.centres.astype(np.float64)).all()
    for line in lines:
        found = bins.find(line)
        assert (found[1:] >= found[:-1]).all()
        assert 0 <= found[0] <= found[-1] < len(bins)
