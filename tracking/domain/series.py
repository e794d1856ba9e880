"""Reading points back: charts, raw columns, and what is new since a revision."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracking.domain.downsample import chart_order
from tracking.domain.lines import Line
from tracking.models import Metric, MetricPoint, Run
from tracking.points import Columns, decode

NEWS_COMMITS = 500  # how many commits one look at the database may bring a watcher
NEWS_POINTS = 50_000  # after that many the commit is brought to its end, and no more: 20 MB of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which points of a series are wanted. `raw`: all of them, as they arrived.

    `x_min`, `x_max` are steps, both included; `since_us` is a time, included. `smooth` is a weight
    of the past, 0 ≤ smooth < 1.
    """

    max_points: int = 1000
    x_min: int | None = None
    x_max: int | None = None
    since_us: int | None = None
    raw: bool = False
    smooth: float | None = None


class Series(NamedTuple):
    run_key: str
    metric: str
    columns: Columns
    total: int  # points in the window before any were left out
    smoothed: NDArray[np.float64] | None = None


def read_series(
    runs: Iterable[Run], window: Window, *, names: list[str] | None = None
) -> list[Series]:
    """The series of these runs, of all metrics or those named, ordered by metric and run.

    Metrics without a point in the window are left out. Two queries, whatever is asked.
    """
    keys = {run.pk: run.key for run in runs}
    metrics = Metric.objects.filter(run_id__in=keys)
    if names is not None:
        metrics = metrics.filter(name__in=names)
    wanted = {
        pk: (name, run_id)
        for pk, name, run_id in metrics.order_by("name", "run_id").values_list(
            "pk", "name", "run_id"
        )
    }
    stretches = MetricPoint.objects.filter(metric__in=metrics.values("pk"))
    if window.x_min is not None and window.smooth is None:
        stretches = stretches.filter(step_max__gte=window.x_min)
    if window.x_max is not None:
        stretches = stretches.filter(step_min__lte=window.x_max)
    arrays = stretches.arrays()
    series = (
        _draw(Series(keys[run_id], name, arrays[pk], 0), window)
        for pk, (name, run_id) in wanted.items()
        if pk in arrays
    )
    return [one for one in series if one.total]


def _draw(series: Series, window: Window) -> Series:
    """Smoothed before anything is cut off: a zoom and a thinner line keep their shape."""
    line = Line(series.columns)
    if not window.raw:
        line = Line(chart_order(series.columns))
    if window.smooth is not None:
        line = line.smooth(window.smooth)
    line = _cut(line, window)
    drawn = line if window.raw else line.thin(window.max_points)
    return series._replace(columns=drawn.columns, total=len(line), smoothed=drawn.smoothed)


def _cut(line: Line, window: Window) -> Line:
    columns = line.columns
    inside = np.ones(len(columns), np.bool_)
    if window.x_min is not None:
        inside &= columns.steps >= window.x_min
    if window.x_max is not None:
        inside &= columns.steps <= window.x_max
    if window.since_us is not None:
        inside &= columns.times_us >= window.since_us
    return line if inside.all() else line[inside]


@dataclass(slots=True)
class Row:
    """What one call logged: a value for each of its metrics."""

    step: int
    time_us: int
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    """What a run has become since a revision. `rows` are in order of arrival."""

    run: Run
    rows: list[Row]
    revision: int


def read_news(run_id: int, after: int, *, since_us: int | None = None) -> News | None:
    """What the next commits to the run after revision `after` brought; None when the run is gone.

    With `since_us` only points from that time on. It brings at most NEWS_COMMITS at a time, fewer
    if they are large: there is more while `revision` is below the run's.
    It may repeat a point (a folded stretch carries its newest revision) and never skips one.
    Two queries.
    """
    run = Run.objects.select_related("project").filter(pk=run_id).first()
    if run is None:
        return None
    upto = min(run.revision, after + NEWS_COMMITS)
    stretches = (
        MetricPoint.objects.filter(run_id=run_id, revision__gt=after, revision__lte=upto)
        .order_by("revision", "id")
        .values_list("revision", "metric__name", "data")
    )
    found: list[tuple[str, Columns]] = []
    count, reached = 0, after
    for revision, name, data in stretches.iterator(chunk_size=100):
        if count >= NEWS_POINTS and revision > reached:
            upto = reached
            break
        columns = decode(data)
        if since_us is not None:
            columns = columns[columns.times_us >= since_us]
        found.append((name, columns))
        count, reached = count + len(columns), revision
    return News(run, _rows(found), upto)


def _rows(stretches: Iterable[tuple[str, Columns]]) -> list[Row]:
    """Points of the same step and time were logged together, unless a metric would come twice."""
    rows: dict[tuple[int, int], Row] = {}
    found: list[Row] = []
    for name, columns in stretches:
        points = zip(
            columns.steps.tolist(), columns.times_us.tolist(), columns.values.tolist(), strict=True
        )
        for step, time_us, value in points:
            row = rows.get((step, time_us))
            if row is None or name in row.values:
                row = rows[step, time_us] = Row(step, time_us)
                found.append(row)
            row.values[name] = value
    return sorted(found, key=attrgetter("time_us"))
