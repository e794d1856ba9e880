"""The count itself: whatever is amiss shows."""

import math

import numpy as np
import pytest

from tests.chaos.points import Tally, values
from tests.chaos.values import STRANGE, value
from tracking.points import Columns

COUNT, METRIC = 2_000, 3


def columns(steps: list[int]) -> Columns:
    return Columns(np.array(steps), values(METRIC, steps), np.zeros(len(steps), np.int64))


def tally(found: Columns | None) -> tuple[int, int, int]:
    """Lost, doubled, wrong."""
    count = Tally()
    count.add(found, METRIC, COUNT)
    assert count.count == COUNT
    return count.lost, count.doubled, count.wrong


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([*range(COUNT)], (0, 0, 0)),
        ([*range(COUNT - 1)], (1, 0, 0)),
        ([*range(5), *range(7, COUNT)], (2, 0, 0)),
        ([*range(6), *range(5, COUNT)], (0, 1, 0)),
        ([*range(COUNT + 2)], (0, 0, 2)),
        ([1, 0, *range(2, COUNT)], (0, 0, 1)),
    ],
)
def test_missing_repeated_unknown_and_misplaced_steps_are_counted(
    steps: list[int], expected: tuple[int, int, int]
) -> None:
    assert tally(columns(steps)) == expected


def test_metric_that_is_not_there_is_lost() -> None:
    assert tally(None) == (COUNT, 0, 0)


def test_one_bit_is_enough_to_be_wrong() -> None:
    found = columns([*range(COUNT)])
    [nan_at, *_] = np.flatnonzero(np.isnan(found.values))
    found.values.view(np.uint64)[nan_at] ^= 1

    assert tally(found) == (0, 0, 1)


def test_strange_values_are_among_those_logged() -> None:
    logged = {value(METRIC, step) for step in range(COUNT)}

    assert {-math.inf, math.inf, 0.0, STRANGE[-1]} <= logged
    assert any(math.isnan(one) for one in logged)
