"""Curves of many runs as few: the mean and the span of the runs that have a field in common.

The axis is cut into bins. Each run counts once in a bin, with the mean of its finite values there,
however often it logged. NaN and infinities count nowhere.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracking.domain.bins import Bins, cut_into_bins
from tracking.domain.fields import Field, find_field, read_fields
from tracking.domain.labels import label_runs
from tracking.domain.lines import Line
from tracking.domain.series import Found, Window, draw_lines, find_series
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Run

MAX_GROUPS = 50  # more bands than anybody tells apart; a mean of the rest would mean nothing
MAX_BINS = 5_000  # as many as the widest screens have columns
MAX_POINTS = 20_000_000  # read for one answer: half a gigabyte of memory, two seconds


class Group(NamedTuple):
    """`places`: bins in which at least one of the runs has a value; `counts`: how many have.

    `low` and `high` are the least and the greatest of the runs' means. `size`: the runs in all.
    """

    metric: str
    label: str
    places: NDArray[np.int64] | NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64]
    size: int
    smoothed: NDArray[np.float64] | None


def find_group_field(name: str) -> Field:
    """The field to group by: anything but a metric. Raises: InvalidInput."""
    field = find_field(name)
    if field.source == "metric":
        raise InvalidInput(
            f"{name[:80]!r} is neither an attribute of runs nor in their config or summary.",
            field="group",
        )
    return field


def read_groups(
    runs: Iterable[Run], window: Window, field: Field, *, names: list[str] | None = None
) -> list[Group]:
    """The groups of these runs by metric, in the order of their labels. Three queries.

    A run with several tags is in several groups, one without the field in the group `–`.
    Raises: LimitExceeded for more than MAX_GROUPS or MAX_POINTS.
    """
    runs = list(runs)
    members = find_members(runs, field)
    if len(members) > MAX_GROUPS:
        raise LimitExceeded(
            f"group: these runs have {len(members)} values of {field.name[:80]!r}; at most"
            f" {MAX_GROUPS} groups can be drawn.",
            field="group",
        )
    found = _find_in_order(runs, window, names)
    groups: list[Group] = []
    for metric, series in groupby(found, attrgetter("metric")):
        drawn = {one.run.pk: draw_lines(one, window) for one in series}
        lines = {run_id: found[0] for run_id, found in drawn.items() if found}
        if lines:
            groups += _average(metric, lines, members, window)
    return groups


def _find_in_order(runs: list[Run], window: Window, names: list[str] | None) -> list[Found]:
    found: list[Found] = []
    room = MAX_POINTS
    for one in find_series(runs, window, names=names):
        found.append(one)
        room -= one.point_count
        if room < 0:
            raise LimitExceeded(
                f"group: these runs have more than {MAX_POINTS:,} points, all of which groups need:"
                " ask for fewer runs or metrics, or for a range of steps.",
                field="group",
            )
    return sorted(found, key=attrgetter("place"))


def find_members(runs: Sequence[Run], field: Field) -> dict[str, set[int]]:
    """The ids of the runs in each group, by label."""
    found = read_fields(runs, [field])
    if field.kind == "tags":
        return label_runs({run_id: tags or [] for run_id, (tags,) in found.items()})
    return label_runs(found)


def _average(
    metric: str, lines: dict[int, Line], members: dict[str, set[int]], window: Window
) -> list[Group]:
    bins = cut_into_bins([line.places for line in lines.values()], min(window.max_points, MAX_BINS))
    tallies = {label: _Tally(bins, is_smooth=window.smooth is not None) for label in members}
    with np.errstate(over="ignore", invalid="ignore"):  # sums of values near the end of float64
        for run_id, line in lines.items():
            row = _Row.of(line, bins)
            for label, run_ids in members.items():
                if run_id in run_ids:
                    tallies[label].add(row)
        groups = [tally.sum_up(metric, label) for label, tally in tallies.items()]
    return [group for group in groups if len(group.counts)]


class _Row(NamedTuple):
    """A run's mean in each bin, NaN where it has none."""

    mean: NDArray[np.float64]
    smoothed: NDArray[np.float64] | None

    @classmethod
    def of(cls, line: Line, bins: Bins) -> "_Row":
        finite = np.isfinite(line.columns.values)
        where = bins.find(line.places)[finite]
        counts = np.bincount(where, minlength=len(bins))

        def mean_of(column: NDArray[np.float64]) -> NDArray[np.float64]:
            sums = np.bincount(where, column[finite], minlength=len(bins))
            mean: NDArray[np.float64] = np.divide(
                sums, counts, out=np.full(len(bins), np.nan), where=counts > 0
            )
            return mean

        smoothed = None if line.smoothed is None else mean_of(line.smoothed)
        return cls(mean_of(line.columns.values), smoothed)


class _Tally:
    """What the runs of a group come to, one run after the other."""

    def __init__(self, bins: Bins, *, is_smooth: bool) -> None:
        self.bins = bins
        self.size = 0
        self.counts = np.zeros(len(bins), np.int64)
        self.sums = np.zeros(len(bins))
        self.smoothed_sums = np.zeros(len(bins)) if is_smooth else None
        self.low = np.full(len(bins), np.nan)
        self.high = np.full(len(bins), np.nan)

    def add(self, row: _Row) -> None:
        there = ~np.isnan(row.mean)
        self.size += 1
        self.counts += there
        self.sums[there] += row.mean[there]
        np.fmin(self.low, row.mean, out=self.low)
        np.fmax(self.high, row.mean, out=self.high)
        if self.smoothed_sums is not None and row.smoothed is not None:
            self.smoothed_sums[there] += row.smoothed[there]

    def sum_up(self, metric: str, label: str) -> Group:
        there = self.counts > 0
        counts = self.counts[there]
        smoothed = None if self.smoothed_sums is None else self.smoothed_sums[there] / counts
        return Group(
            metric=metric,
            label=label,
            places=self.bins.centres[there],
            mean=self.sums[there] / counts,
            low=self.low[there],
            high=self.high[there],
            counts=counts,
            size=self.size,
            smoothed=smoothed,
        )
