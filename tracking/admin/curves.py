"""Small curves as inline SVG: attributes only, so that a strict content policy lets them pass."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from numpy.typing import NDArray

from tracking.domain.downsample import chart_order, downsample
from tracking.models import Metric, MetricPoint
from tracking.points import Columns

WIDTH, HEIGHT = 120, 24
MARGIN = 2  # half of the line must not be cut off at the edges
BOX_WIDTH, BOX_HEIGHT = 720, 160
UNREADABLE = (ValueError, RuntimeError)  # what decoding raises; `manage.py checkstore` says where
LIST_POINTS = 20_000  # a metric with more is drawn on its own page: a list shows fifty


def load_curves(metrics: Iterable[Metric]) -> dict[int, SafeString]:
    """A small curve for each metric that is not too long, by its id. One query."""
    short = [metric.pk for metric in metrics if 0 < metric.count <= LIST_POINTS]
    try:
        arrays = MetricPoint.objects.filter(metric_id__in=short).arrays()
    except UNREADABLE:
        return {}
    return {metric_id: draw_curve(columns) for metric_id, columns in arrays.items()}


def draw_curve(columns: Columns, *, width: int = WIDTH, height: int = HEIGHT) -> SafeString:
    """The points by step, stretched to the box; what is not finite is a gap."""
    shown = downsample(chart_order(columns), max(10, 2 * width))
    lines, dots = trace(shown, width, height)
    return format_html(
        '<svg class="curve" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' preserveAspectRatio="none" role="img" aria-label="{count} points">'
        '<path d="{lines}" vector-effect="non-scaling-stroke"></path>'
        '<path class="dots" d="{dots}" vector-effect="non-scaling-stroke"></path></svg>',
        width=width,
        height=height,
        count=len(columns),
        lines=lines,
        dots=dots,
    )


def curve_box(read: Callable[[], Columns | None], total_count: int) -> str:
    """A curve with its bounds. It says so where not all points are in it, or none can be read."""
    try:
        columns = read()
    except UNREADABLE as error:
        return f"The points cannot be read: {error}"
    if columns is None:
        return "No points."
    finite = columns.values[np.isfinite(columns.values)]
    context = {
        "curve": draw_curve(columns, width=BOX_WIDTH, height=BOX_HEIGHT),
        "low": float(finite.min()) if len(finite) else None,
        "high": float(finite.max()) if len(finite) else None,
        "first_step": int(columns.steps.min()),
        "last_step": int(columns.steps.max()),
        "drawn_count": len(columns),
        "total_count": total_count,
    }
    return render_to_string("admin/tracking/_curve_box.html", context)


def trace(columns: Columns, width: int, height: int) -> tuple[str, str]:
    """The `d` of two paths: the lines, and the points that have no neighbours."""
    finite = np.isfinite(columns.values)
    if not finite.any():
        return "", ""
    xs = _scale(columns.steps.astype(np.float64), MARGIN, width - MARGIN)
    ys = np.full(len(columns), np.nan)
    ys[finite] = _scale(columns.values[finite], height - MARGIN, MARGIN)
    lines, dots = "", ""
    for piece in _pieces(finite):
        path = "M" + "L".join(f"{xs[place]:g} {ys[place]:g}" for place in piece)
        if len(piece) > 1:
            lines += path
        else:
            dots += path + "h0"  # round line ends make it a dot
    return lines, dots


def _pieces(finite: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Places of finite values, cut where others lie between them."""
    places = np.flatnonzero(finite)
    yield from np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)


def _scale(values: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """From least to greatest onto `start` to `end`, rounded to what an eye can tell apart."""
    low, high = values.min() / 2, values.max() / 2  # halves: the span may exceed float64
    if low == high:
        return np.full(len(values), (start + end) / 2)
    share = (values / 2 - low) / (high - low)
    return np.round(start + share * (end - start), 1)
