"""Points one by one, the earliest first: for callers that read pages of them, or a whole series.

Times stand in packed columns, so no index sorts by them. A page is found by reading each stretch
once and keeping no more than the points up to its end: memory is bounded by how far it reaches.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracking.domain.access import Caller
from tracking.domain.batch import NO_COLUMNS
from tracking.domain.ingest import record_row
from tracking.domain.runs import next_step
from tracking.domain.values import check_step
from tracking.errors import LimitExceeded, NotFound
from tracking.models import Metric, MetricPoint, Run
from tracking.points import Columns, decode

MAX_REACH = 500_000  # points, 40 bytes each; who wants more takes the columns of the dashboard API
SLACK = 50_000  # points that may be read before the late ones are dropped: each time is a sort
TOO_FAR = (
    f"Only the first {MAX_REACH} points can be read here; the dashboard API has all of them, and"
    " thinner ones: /api/projects/{project}/runs/{run}/metrics"
)


class ListedPoint(NamedTuple):
    """`ordinal`: its place in the metric, in order of arrival."""

    metric_id: int
    ordinal: int
    name: str
    step: int
    value: float
    time_us: int


def list_points(run: Run, *, skip: int, limit: int, name: str | None = None) -> list[ListedPoint]:
    """The points of all metrics, or of one, by time; equal times by metric and arrival.

    Two queries. Raises: LimitExceeded beyond MAX_REACH.
    """
    metrics = run.metrics.order_by()
    if name is not None:
        metrics = metrics.filter(name=name) if "\0" not in name else metrics.none()
    names, total = {}, 0
    for metric_id, found, count in metrics.values_list("pk", "name", "count"):
        names[metric_id] = found
        total += count
    if skip >= total or not limit:
        return []
    if skip + limit > MAX_REACH and total > MAX_REACH:
        raise LimitExceeded(TOO_FAR, field="skip")
    stretches = MetricPoint.objects.filter(run=run)
    if name is not None:
        stretches = stretches.filter(metric__in=names)
    earliest = _Earliest(min(skip + limit, total))
    rows = stretches.order_by().values_list("metric_id", "ordinal", "data")
    for metric_id, ordinal, data in rows.iterator(chunk_size=100):
        if metric_id in names:  # else it came between the queries
            earliest.add(metric_id, ordinal, decode(data))
    columns = [column[skip:].tolist() for column in earliest.columns()]
    return [
        ListedPoint(metric_id, ordinal, names[metric_id], step, value, time_us)
        for time_us, metric_id, ordinal, step, value in zip(*columns, strict=True)
    ]


def read_history(run: Run, name: str) -> tuple[str, Columns]:
    """The points of one metric by time. A slash after the name may be the address's or the name's own.

    Two queries. Raises: NotFound, LimitExceeded.
    """
    names = [] if "\0" in name else [name, name.removesuffix("/")]
    found = {one.name: one for one in run.metrics.filter(name__in=names)}
    metric: Metric | None = found.get(name) or found.get(name.removesuffix("/"))
    if metric is None:
        raise NotFound("Metric not found")
    if metric.count > MAX_REACH:
        raise LimitExceeded(TOO_FAR)
    arrays = MetricPoint.objects.filter(metric=metric).arrays()
    columns = arrays.get(metric.pk, NO_COLUMNS)
    return metric.name, columns[np.argsort(columns.times_us, kind="stable")]


def record_point(
    run: Run, values: Mapping[str, float], *, step: int | None, time_us: int, user: Caller
) -> ListedPoint:
    """As `record_row`, of a row with one metric in it; returns the point as it will be listed."""
    [(name, value)] = values.items()
    step = check_step(next_step(run) if step is None else step)
    record_row(run, values, step=step, time_us=time_us, user=user)
    metric_id, count = run.metrics.values_list("pk", "count").get(name=name)
    return ListedPoint(metric_id, count - 1, name, step, value, time_us)


class _Earliest:
    """The `wanted` earliest of the points that are added."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.parts: list[list[NDArray[np.generic]]] = []
        self.size = 0
        self.latest_us: int | None = None  # of those that are kept, once there are enough

    def add(self, metric_id: int, ordinal: int, columns: Columns) -> None:
        count = len(columns)
        if self.latest_us is not None and columns.times_us.min() > self.latest_us:
            return
        ordinals = np.arange(ordinal, ordinal + count)
        ids = np.full(count, metric_id)
        self.parts.append([columns.times_us, ids, ordinals, columns.steps, columns.values])
        self.size += count
        if self.size > 2 * self.wanted + SLACK:
            self._cut()

    def columns(self) -> list[NDArray[np.generic]]:
        """Times, metrics, ordinals, steps and values, in order."""
        self._cut()
        return self.parts[0] if self.parts else [np.empty(0)] * 5

    def _cut(self) -> None:
        if not self.parts:
            return
        whole = [np.concatenate(parts) for parts in zip(*self.parts, strict=True)]
        order = np.lexsort((whole[2], whole[1], whole[0]))[: self.wanted]
        self.parts = [[column[order] for column in whole]]
        self.size = len(order)
        if self.size == self.wanted:
            self.latest_us = int(self.parts[0][0][-1])
