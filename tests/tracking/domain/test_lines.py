import numpy as np

from tracking.domain.lines import Line, split_at_restarts, thin_segments
from tracking.points import Columns


def columns(steps) -> Columns:
    steps = np.asarray(steps, np.int64)
    return Columns(steps, np.arange(float(len(steps))), np.arange(len(steps)))


def test_steps_that_go_back_begin_a_segment_and_equal_ones_do_not():
    segments = split_at_restarts(columns([0, 1, 1, 2, 1, 2, 0]))

    assert [part.steps.tolist() for part in segments] == [[0, 1, 2], [1, 2], [0]]
    assert [part.values.tolist() for part in segments] == [[0, 2, 3], [4, 5], [6]]


def test_more_than_eight_segments_are_merged():
    eight = split_at_restarts(columns([0, 1] * 8))
    nine = split_at_restarts(columns([0, 1] * 9))

    assert len(eight) == 8
    assert [part.steps.tolist() for part in nine] == [[0, 1]]
    assert nine[0].values.tolist() == [16, 17]


def test_segments_are_thinned_in_proportion_and_keep_their_extremes():
    lines = [Line(columns(range(9_000))), Line(columns(range(100, 1_100))), Line(columns([5]))]
    lines[0].columns.values[4_321] = 1e6
    lines[1].columns.values[432] = -1e6

    thinned = thin_segments(lines, 1_000)

    shares = [10 + 970 * count // 10_001 for count in (9_000, 1_000, 1)]
    assert all(len(line) <= share for line, share in zip(thinned, shares, strict=True))
    assert [len(line) > 0.9 * share for line, share in zip(thinned, shares, strict=True)][:2] == [
        True,
        True,
    ]
    assert 1e6 in thinned[0].columns.values
    assert -1e6 in thinned[1].columns.values
    assert [line.columns.steps[0] for line in thinned] == [0, 100, 5]


def test_what_stands_beside_the_points_is_picked_and_joined_with_them():
    line = Line(columns([0, 1, 2]), np.array([0.0, 0.5, 1.0]), np.array([7.0, 8.0, 9.0]))

    joined = Line.join([line[np.array([0, 2])], line[np.array([1])]])

    assert joined.columns.steps.tolist() == [0, 2, 1]
    assert joined.x is not None
    assert joined.smoothed is not None
    assert (joined.x.tolist(), joined.smoothed.tolist()) == ([0.0, 1.0, 0.5], [7.0, 9.0, 8.0])
