"""What a chart draws its points over: the step, the time, or another metric."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tracking.domain.lines import Line
from tracking.domain.values import check_metric_name
from tracking.errors import InvalidInput
from tracking.models import Run
from tracking.points import Columns

KINDS = ("step", "time", "relative")
METRIC = "metric:"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Axis:
    """`kind` is one of KINDS or "metric"; then `metric` is its name.

    Times are UNIX ms, relative times seconds since the run's start.
    """

    kind: str = "step"
    metric: str = ""

    def lay_out(self, columns: Columns, run: Run, ruler: Columns | None) -> Line:
        """The points in the axis' order, of equal places the greatest step last.

        `columns`: in chart order. `ruler`: the points of the run's metric that is the axis, in chart
        order. A point stands where that metric stood at the same step; without such a step, or
        where it was NaN or infinite, it is left out.
        """
        if self.kind == "step":
            return Line(columns)
        if self.kind == "time":
            return _ascending(columns, columns.times_us / 1e3)
        if self.kind == "relative":
            start_us = (run.started_at - EPOCH) // timedelta(microseconds=1)
            return _ascending(columns, (columns.times_us - start_us) / 1e6)
        if ruler is None:
            return Line(columns[:0], np.empty(0))
        return _measured(columns, ruler)


STEP = Axis()


def read_axis(text: str) -> Axis:
    """The axis of a query's `x`: one of KINDS, or `metric:` and a name. Raises: InvalidInput."""
    if text.startswith(METRIC):
        return Axis("metric", check_metric_name(text.removeprefix(METRIC)))
    if text not in KINDS:
        raise InvalidInput(
            f"{text[:40]!r} is none of {', '.join(KINDS)} and {METRIC}NAME.", field="x"
        )
    return Axis(text)


def _measured(columns: Columns, ruler: Columns) -> Line:
    if not np.array_equal(columns.steps, ruler.steps):
        _, here, there = np.intersect1d(
            columns.steps, ruler.steps, assume_unique=True, return_indices=True
        )
        columns, ruler = columns[here], ruler[there]
    x = ruler.values
    finite = np.isfinite(x)
    return _ascending(columns, x) if finite.all() else _ascending(columns[finite], x[finite])


def _ascending(columns: Columns, x: NDArray[np.float64]) -> Line:
    if (x[1:] >= x[:-1]).all():
        return Line(columns, x)
    order = np.argsort(x, kind="stable")
    return Line(columns[order], x[order])
