"""Fewer points that draw the same picture: every spike and every gap is kept."""

import numpy as np
from numpy.typing import NDArray

from tracking.points import Columns

KINDS_OF_GAP = (np.isnan, np.isposinf, np.isneginf)


def chart_order(columns: Columns) -> Columns:
    """Ascending steps, each once: of points with the same step the newest counts."""
    steps = columns.steps
    if len(steps) < 2 or (steps[1:] > steps[:-1]).all():
        return columns
    order = np.argsort(steps, kind="stable")
    in_order = steps[order]
    is_newest = np.append(in_order[1:] != in_order[:-1], True)
    return columns[order[is_newest]]


def downsample(columns: Columns, max_points: int) -> Columns:
    """At most `max_points` (≥ 10) of the points, in their order."""
    places = kept_places(columns.values, max_points)
    return columns if places is None else columns[places]


def kept_places(values: NDArray[np.float64], max_points: int) -> NDArray[np.intp] | None:
    """Where at most `max_points` (≥ 10) of the values stand that draw the picture; None: all.

    The points are cut into stretches of equal size; each keeps its lowest and its highest finite
    value and its first NaN, +Inf and -Inf. The first and the last point stay.
    """
    count = len(values)
    if count <= max_points:
        return None
    finite = np.isfinite(values)
    gaps = [] if finite.all() else [kind(values) for kind in KINDS_OF_GAP]
    gaps = [gap for gap in gaps if gap.any()]
    size = -(-count // ((max_points - 2) // (2 + len(gaps))))
    keep = np.zeros(count, np.bool_)
    keep[_lowest(np.where(finite, values, np.inf), size)] = True
    keep[_lowest(np.where(finite, -values, np.inf), size)] = True
    keep &= finite  # a stretch without a finite value has no extremes
    for gap in gaps:
        first = _lowest(np.where(gap, 0.0, 1.0), size)
        keep[first[gap[first]]] = True
    keep[[0, -1]] = True
    return np.flatnonzero(keep)


def _lowest(values: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    """Where the lowest value of each stretch of `size` values stands."""
    whole = len(values) // size * size
    starts = np.arange(0, whole, size)
    places: NDArray[np.intp] = starts + values[:whole].reshape(-1, size).argmin(axis=1)
    if whole == len(values):
        return places
    return np.append(places, whole + values[whole:].argmin())
