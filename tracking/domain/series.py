"""Reading points back: charts, raw columns, and what is new since a revision."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from tracking.domain.axes import STEP, Axis
from tracking.domain.downsample import chart_order
from tracking.domain.lines import SEGMENT_POINTS, Line, split_at_restarts, thin_segments
from tracking.domain.portions import in_portions
from tracking.domain.rulers import Rulers
from tracking.errors import LimitExceeded
from tracking.models import Metric, MetricPoint, Run
from tracking.points import (
    COLUMN_TYPES,
    Columns,
    MetricPointQuerySet,
    Stretch,
    decode,
    join_stretches,
)

LONG = 100_000  # points; shorter series are drawn as fast in one piece
PART_POINTS = 30_000  # points; they stay in the processor's cache while they are thinned
PRELIMINARY = 4  # times the points that are wanted are left of the parts of a long series
FEW_POINTS = 2_000_000  # 50 MB at most, which may lie in memory at once
NO_POINTS = Columns(*(np.empty(0, dtype) for dtype in COLUMN_TYPES))  # type: ignore[arg-type]
NEWS_COMMITS = 500  # how many commits one look at the database may bring a watcher
NEWS_POINTS = 50_000  # after that many the commit is brought to its end, and no more: 20 MB of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which points of a series are wanted. `raw`: all of them, as they arrived.

    `x_min`, `x_max` are in the axis' units, both included; `since_us` is a time, included. `smooth`
    is a weight of the past, 0 ≤ smooth < 1. `segments`: steps that were logged anew do not replace
    the older ones. Raw points have no other axis, no segments and are not smoothed.
    """

    max_points: int = 1000
    x_min: float | None = None
    x_max: float | None = None
    since_us: int | None = None
    raw: bool = False
    axis: Axis = STEP
    smooth: float | None = None
    segments: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether all that is wanted is a line over steps, and a range of them at most."""
        is_more = self.raw or self.segments or self.smooth is not None
        return self.axis == STEP and self.since_us is None and not is_more


class Series(NamedTuple):
    """`x` is where the points stand on an axis other than the step; `starts`: where segments begin."""

    run_key: str
    metric: str
    columns: Columns
    total: int  # points in the window before any were left out
    x: NDArray[np.float64] | None = None
    smoothed: NDArray[np.float64] | None = None
    starts: tuple[int, ...] = (0,)


class Found(NamedTuple):
    """What lies in the database of one series, in order of arrival."""

    place: int  # in the order of metric and run
    metric: str
    run: Run
    stretches: list[Stretch]
    ruler: Columns | None  # the points of the metric that is the axis, in chart order

    @property
    def point_count(self) -> int:
        return sum(stretch.size for stretch in self.stretches)


def read_series(
    runs: Iterable[Run], window: Window, *, names: list[str] | None = None
) -> list[Series]:
    """The series of these runs, of all metrics or those named, ordered by metric and run.

    Metrics without a point in the window are left out. Two queries, whatever is asked; three
    more where a metric is the axis. Raises: LimitExceeded for more points than one answer takes.
    """
    series: list[tuple[int, Series]] = []
    room = settings.MAX_ANSWER_POINTS
    for one in find_series(runs, window, names=names):
        drawn = _draw_part_by_part(one, window) or _draw(one, window)
        series.append((one.place, drawn))
        room -= len(drawn.columns)
        if room < 0:
            raise LimitExceeded(
                f"These are more than {settings.MAX_ANSWER_POINTS:,} points: ask for fewer runs or"
                " metrics at a time, or for fewer points of each.",
                field="metrics",
            )
    return [one for _, one in sorted(series, key=itemgetter(0)) if one.total]


def find_series(
    runs: Iterable[Run], window: Window, *, names: list[str] | None = None
) -> Iterator[Found]:
    """One series after the other, in no order that matters: all of them may not fit into memory."""
    by_id = {run.pk: run for run in runs}
    metrics = Metric.objects.filter(run_id__in=by_id)
    rulers = Rulers(by_id, window.axis)
    if names is not None:
        metrics = metrics.filter(name__in=names)
    found = list(metrics.order_by("name", "run_id").values_list("pk", "name", "run_id", "count"))
    places = {pk: (place, name, run_id) for place, (pk, name, run_id, _) in enumerate(found)}
    are_few = sum(count for *_, count in found) <= FEW_POINTS
    rows = _in_reach(MetricPoint.objects.filter(metric__in=metrics.values("pk")), window)
    for pk, stretches in rows.stretches(are_few=are_few):
        if pk in places:  # else it came between the queries
            place, name, run_id = places[pk]
            yield Found(place, name, by_id[run_id], stretches, rulers.find(run_id, name))


def _in_reach(
    stretches: MetricPointQuerySet[MetricPoint], window: Window
) -> MetricPointQuerySet[MetricPoint]:
    """Without the stretches that are not needed to draw the window."""
    if window.axis != STEP or window.segments:  # what is outside may tell where a segment begins
        return stretches
    if window.x_min is not None and window.smooth is None:
        stretches = stretches.filter(step_max__gte=window.x_min)
    if window.x_max is not None:
        stretches = stretches.filter(step_min__lte=window.x_max)
    return stretches


def draw_lines(found: Found, window: Window) -> list[Line]:
    """All points in the window: a line for each segment, none of them empty.

    Smoothed before anything is cut off: a zoom and a thinner line keep their shape.
    """
    columns = join_stretches(found.stretches)
    if window.raw:
        parts = [columns]
    else:
        parts = split_at_restarts(columns) if window.segments else [chart_order(columns)]
    lines = [window.axis.lay_out(part, found.run, found.ruler) for part in parts]
    if window.smooth is not None:
        lines = [line.smooth(window.smooth) for line in lines]
    return [line for line in (_cut(line, window) for line in lines) if len(line)]


def _cut(line: Line, window: Window) -> Line:
    inside = np.ones(len(line), np.bool_)
    if window.x_min is not None:
        inside &= line.places >= window.x_min
    if window.x_max is not None:
        inside &= line.places <= window.x_max
    if window.since_us is not None:
        inside &= line.columns.times_us >= window.since_us
    return line if inside.all() else line[inside]


def _draw(found: Found, window: Window) -> Series:
    lines = draw_lines(found, window)
    total = sum(map(len, lines))
    if not window.raw:
        lines = thin_segments(lines, window.max_points)
    starts = tuple(accumulate(map(len, lines[:-1]), initial=0))
    line = Line.join(lines) if lines else Line(NO_POINTS)
    return Series(found.run.key, found.metric, line.columns, total, line.x, line.smoothed, starts)


def _draw_part_by_part(found: Found, window: Window) -> Series | None:
    """A long series that is drawn as it was logged: thinned part by part.

    That never has all its points in memory, which takes half the time. None where it will not do:
    steps that do not ascend, or more asked for than the plain line.
    """
    count = found.point_count
    if count < LONG or not window.is_plain:
        return None
    drawn: list[Line] = []
    total, last = 0, -math.inf
    for part in in_portions(found.stretches, PART_POINTS, attrgetter("size")):
        columns = join_stretches(part)
        if columns.steps[0] <= last or chart_order(columns) is not columns:
            return None
        last = columns.steps[-1]
        line = _cut(Line(columns), window)
        total += len(line)
        share = PRELIMINARY * window.max_points * len(columns) // count
        drawn.append(line.thin(max(share, SEGMENT_POINTS)))
    line = Line.join(drawn).thin(window.max_points)
    return Series(found.run.key, found.metric, line.columns, total)


@dataclass(slots=True)
class Row:
    """What one call logged: a value for each of its metrics."""

    step: int
    time_us: int
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    """What a run has become since a revision: stretches of its metrics, in order of arrival."""

    run: Run
    revision: int
    stretches: list[tuple[str, Columns]]

    def rows(self) -> Iterator[Row]:
        """Ordered by time, one by one: together they are ten times as large as their points.

        Points of the same step and time were logged together, unless a metric would come twice.
        """
        row: Row | None = None
        for name, step, time_us, value in _points_by_time(self.stretches):
            if row is None or (row.step, row.time_us) != (step, time_us) or name in row.values:
                if row is not None:
                    yield row
                row = Row(step, time_us)
            row.values[name] = value
        if row is not None:
            yield row


def _points_by_time(
    stretches: list[tuple[str, Columns]],
) -> Iterator[tuple[str, int, int, float]]:
    """Metric, step, time and value. Of equal steps and times the one that arrived first is first."""
    if not stretches:
        return
    names = np.repeat(np.arange(len(stretches)), [len(columns) for _, columns in stretches])
    whole = Columns.join([columns for _, columns in stretches])
    order = np.lexsort((whole.steps, whole.times_us))
    for start in range(0, len(order), PART_POINTS):
        places = order[start : start + PART_POINTS]
        part = whole[places]
        yield from zip(
            [stretches[name][0] for name in names[places].tolist()],
            part.steps.tolist(),
            part.times_us.tolist(),
            part.values.tolist(),
            strict=True,
        )


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
    return News(run, upto, found)
