"""What a table shows of a series without reading its points."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracking.domain.batch import Points
from tracking.domain.values import number_word
from tracking.models import Metric


class Summary(NamedTuple):
    """Fields of Metric, of some points. `min`, `max`, `sum` are over finite values, None without.

    `last` is the value at `last_step`, the greatest step; of equal steps the newest; None for NaN.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    finite_count: int
    sum: float
    min: float | None
    max: float | None
    last: float | None
    last_step: int


def read_latest(run_ids: Iterable[int]) -> dict[int, dict[str, float | str | None]]:
    """The last value of each metric, by run and name; NaN and infinities as words. One query."""
    rows = Metric.objects.filter(run__in=run_ids).order_by("run", "name")
    latest: dict[int, dict[str, float | str | None]] = {}
    for run_id, name, last, step in rows.values_list("run_id", "name", "last", "last_step"):
        value = math.nan if last is None and step is not None else last
        latest.setdefault(run_id, {})[name] = (
            value if value is None or math.isfinite(value) else number_word(value)
        )
    return latest


def summarize_metrics(points: Points) -> list[Summary]:
    """A summary of each metric's points, without a Python loop over points."""
    rows = zip(*(column.tolist() for column in summarize_columns(points)), strict=True)
    return [
        Summary(
            count,
            finite_count,
            total,
            low if finite_count else None,
            high if finite_count else None,
            None if math.isnan(last) else last,
            last_step,
        )
        for count, finite_count, total, low, high, last, last_step in rows
    ]


def summarize_columns(points: Points) -> list[NDArray[Any]]:
    """Each field of Summary for all metrics; the extremes where nothing is finite mean nothing."""
    ends = np.cumsum(points.counts)
    starts = ends - points.counts
    values, steps = points.columns.values, points.columns.steps
    finite = np.isfinite(values)
    last_steps = np.maximum.reduceat(steps, starts)
    # A sum beyond float64 is infinite, which is what it is; beyond it both ways, +infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(np.where(finite, values, 0.0), starts)
    sums[np.isnan(sums)] = np.inf
    return [
        points.counts,
        np.add.reduceat(finite, starts, dtype=np.int64),
        sums,
        np.minimum.reduceat(np.where(finite, values, np.inf), starts),
        np.maximum.reduceat(np.where(finite, values, -np.inf), starts),
        values[_last_places(steps, starts, ends, last_steps)],
        last_steps,
    ]


def _last_places(
    steps: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    last_steps: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Where each metric's greatest step stands; of equal ones the newest."""
    places = ends - 1
    for which in np.flatnonzero(steps[places] != last_steps):
        backwards = steps[starts[which] : ends[which]][::-1]
        places[which] = ends[which] - 1 - np.argmax(backwards)
    return places
