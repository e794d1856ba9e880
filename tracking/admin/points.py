"""The packed stretches of points: decoded to look at, never to change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.curves import UNREADABLE, curve_box
from tracking.admin.lists import MetricFilter, RecordAdmin, RunFilter, RunProjectFilter
from tracking.models import MetricPoint
from tracking.points import RAW, decode

SAMPLE = 3  # points in a list
FIRST_POINTS = 10  # points on a page
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@admin.register(MetricPoint)
class MetricPointAdmin(RecordAdmin):
    list_display = ["stretch", "metric_link", "run_link", "points", "steps", "sample", "packing"]
    list_filter = [RunProjectFilter, RunFilter, MetricFilter]
    list_select_related = ["run__project", "metric"]
    search_fields = ["metric__name", "run__key", "run__project__key"]
    search_help_text = "Metric, run or project"
    readonly_fields = [
        *("metric_link", "run_link", "stretch", "points", "steps", "revision", "packing"),
        *("curve", "first_points"),
    ]

    @admin.display(description="points from – to")
    def stretch(self, row: MetricPoint) -> str:
        return f"{row.ordinal:,} – {row.ordinal + row.count - 1:,}"

    @admin.display(description="metric")
    def metric_link(self, row: MetricPoint) -> SafeString:
        return cells.object_link(row.metric)

    @admin.display(description="run")
    def run_link(self, row: MetricPoint) -> SafeString:
        return cells.run_link(row.run)

    @admin.display
    def points(self, row: MetricPoint) -> str:
        return f"{row.count:,}"

    @admin.display
    def steps(self, row: MetricPoint) -> str:
        same = row.step_min == row.step_max
        return f"{row.step_min:,}" if same else f"{row.step_min:,} – {row.step_max:,}"

    @admin.display(description="first values")
    def sample(self, row: MetricPoint) -> str:
        return _render("_sample.html", row, SAMPLE)

    @admin.display(description="first points")
    def first_points(self, row: MetricPoint) -> str:
        return _render("_points.html", row, FIRST_POINTS)

    @admin.display(description="stored as")
    def packing(self, row: MetricPoint) -> str:
        kind = "raw" if row.data[0] == RAW else "packed"
        return f"{kind}, {cells.size(len(row.data))}"

    @admin.display
    def curve(self, row: MetricPoint) -> str:
        return curve_box(lambda: decode(row.data), row.count)

    def view_on_site(self, row: MetricPoint) -> str:
        return cells.metric_page(row.run, row.metric.name)


def _render(template: str, row: MetricPoint, count: int) -> str:
    try:
        points = _first_points(row, count)
    except UNREADABLE as error:
        return f"The points cannot be read: {error}"
    context = {"points": points, "left_out": row.count - len(points)}
    return render_to_string(f"admin/tracking/{template}", context)


def _first_points(row: MetricPoint, count: int) -> list[dict[str, Any]]:
    columns = decode(row.data)[:count]
    rows = zip(
        columns.steps.tolist(), columns.values.tolist(), columns.times_us.tolist(), strict=True
    )
    return [
        {"step": step, "value": value, "time": EPOCH + timedelta(microseconds=time_us)}
        for step, value, time_us in rows
    ]
