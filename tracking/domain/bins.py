"""Cutting an axis into bins, so that the points of many runs can be averaged."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = NDArray[Any]  # int64 or float64, ascending: where points stand
POINTS_PER_BIN = 2  # of a run, on average: with fewer, runs are missing here and there by chance


class Bins(Protocol):
    centres: Places

    def __len__(self) -> int: ...

    def find(self, places: Places) -> NDArray[np.intp]:
        """The bin of each place."""


def cut_into_bins(lines: Sequence[Places], max_bins: int) -> Bins:
    """At most `max_bins` bins that hold all places of these lines, none of which is empty.

    Runs that logged at the same places get a bin for each place, if there are not too many.
    """
    grid: Places = np.unique(max(lines, key=len))
    is_shared = all(_lies_on(grid, places) for places in lines)
    if is_shared and len(grid) <= max_bins:
        return ExactBins(grid)
    wanted = max_bins if is_shared else int(median(map(len, lines))) // POINTS_PER_BIN
    count = min(max(wanted, 1), max_bins)
    if grid.dtype.kind == "i":
        lowest, highest = (int(edge) for edge in _edges(lines))
        return StepBins(lowest, highest, count)
    return EvenBins(*_edges(lines), count)


def _lies_on(grid: Places, places: Places) -> bool:
    if np.array_equal(places, grid[: len(places)]):
        return True
    found = np.searchsorted(grid, places)
    return bool(found[-1] < len(grid) and (grid[found] == places).all())


def _edges(lines: Sequence[Places]) -> tuple[float, float]:
    return min(places[0] for places in lines), max(places[-1] for places in lines)


class ExactBins:
    """A bin for each place."""

    def __init__(self, grid: Places) -> None:
        self.centres = grid

    def __len__(self) -> int:
        return len(self.centres)

    def find(self, places: Places) -> NDArray[np.intp]:
        return np.searchsorted(self.centres, places)


class StepBins:
    """Bins of equally many steps. Steps may lie further apart than an int64 can say."""

    def __init__(self, lowest: int, highest: int, count: int) -> None:
        self.width = -(-(highest - lowest + 1) // count)
        self.lowest = lowest
        starts = range(lowest, highest + 1, self.width)
        middles = (min(start + (self.width - 1) // 2, highest) for start in starts)
        self.centres: Places = np.fromiter(middles, np.int64)

    def __len__(self) -> int:
        return len(self.centres)

    def find(self, places: Places) -> NDArray[np.intp]:
        if len(self) == 1:  # it may be wider than 64 bits can say
            return np.zeros(len(places), np.intp)
        offsets = places.view(np.uint64) - np.uint64(self.lowest % 2**64)
        return (offsets // np.uint64(self.width)).astype(np.intp)


class EvenBins:
    """Bins of equal width, the last one with its upper edge in it."""

    def __init__(self, lowest: float, highest: float, count: int) -> None:
        self.lowest = lowest
        self.half = highest / 2 - lowest / 2  # the whole may be beyond a float64
        self.count = count if self.half > 0 else 1
        share = (np.arange(self.count) + 0.5) / self.count
        self.centres: Places = lowest * (1 - share) + highest * share

    def __len__(self) -> int:
        return self.count

    def find(self, places: Places) -> NDArray[np.intp]:
        if not self.half > 0:
            return np.zeros(len(places), np.intp)
        share = (places / 2 - self.lowest / 2) / self.half
        return np.minimum((share * self.count).astype(np.intp), self.count - 1)
