"""What a chart draws of one series."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracking.domain.downsample import chart_order, kept_places
from tracking.domain.smoothing import smooth
from tracking.points import Columns

MAX_SEGMENTS = 8  # with more, steps come out of order rather than anew
SEGMENT_POINTS = 10  # what is kept of each at least


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Points in the order they are drawn in. `x` is where they stand, unless at their steps."""

    columns: Columns
    x: NDArray[np.float64] | None = None
    smoothed: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Line":
        return Line(
            self.columns[which],
            None if self.x is None else self.x[which],
            None if self.smoothed is None else self.smoothed[which],
        )

    @property
    def places(self) -> NDArray[np.int64] | NDArray[np.float64]:
        return self.columns.steps if self.x is None else self.x

    def smooth(self, weight: float) -> "Line":
        return replace(self, smoothed=smooth(self.columns.values, weight))

    def thin(self, max_points: int) -> "Line":
        places = kept_places(self.columns.values, max_points)
        return self if places is None else self[places]

    @staticmethod
    def join(lines: list["Line"]) -> "Line":
        if len(lines) == 1:
            return lines[0]
        return Line(
            Columns.join([line.columns for line in lines]),
            _join([line.x for line in lines]),
            _join([line.smoothed for line in lines]),
        )


def _join(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None


def split_at_restarts(columns: Columns) -> list[Columns]:
    """The segments of a series whose steps went back, each in chart order, the newest last.

    `columns`: in order of arrival. With more than MAX_SEGMENTS they are one.
    """
    steps = columns.steps
    starts = np.flatnonzero(steps[1:] < steps[:-1]) + 1
    if len(starts) >= MAX_SEGMENTS:
        return [chart_order(columns)]
    bounds = [0, *starts.tolist(), len(columns)]
    return [chart_order(columns[start:end]) for start, end in pairwise(bounds)]


def thin_segments(lines: list[Line], max_points: int) -> list[Line]:
    """Every line keeps its share of the points, and SEGMENT_POINTS at least."""
    total = sum(map(len, lines))
    spare = max(0, max_points - SEGMENT_POINTS * len(lines))
    return [line.thin(SEGMENT_POINTS + spare * len(line) // total) for line in lines]
