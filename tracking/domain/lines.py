"""What a chart draws of one series."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracking.domain.downsample import kept_places
from tracking.domain.smoothing import smooth
from tracking.points import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Points in the order they are drawn in, with what was asked for beside them."""

    columns: Columns
    smoothed: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Line":
        return Line(self.columns[which], None if self.smoothed is None else self.smoothed[which])

    def smooth(self, weight: float) -> "Line":
        return replace(self, smoothed=smooth(self.columns.values, weight))

    def thin(self, max_points: int) -> "Line":
        places = kept_places(self.columns.values, max_points)
        return self if places is None else self[places]
