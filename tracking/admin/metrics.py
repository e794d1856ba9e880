"""Metrics: their summaries and curves. They come from the points, and nobody changes them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.curves import curve_box, load_curves
from tracking.admin.lists import (
    FIRST_ROWS,
    FirstRows,
    FirstRowsInline,
    RecordAdmin,
    RunFilter,
    RunProjectFilter,
    SlimList,
)
from tracking.models import Metric, MetricPoint

DRAWN_POINTS = 1_000_000  # of a longer series the newest stretches are drawn: 24 MB in memory


def note_curves(metrics: Iterable[Metric]) -> None:
    """Have each metric's curve at hand for its cell."""
    curves = load_curves(metrics)
    for metric in metrics:
        metric.curve = curves.get(metric.pk, cells.ABSENT)  # type: ignore[attr-defined]


class MetricCells:
    """A metric's name and summary, in a list or an inline."""

    @admin.display(description="name", ordering="name")
    def shown_name(self, metric: Metric) -> SafeString:
        return cells.clip(metric.name)

    @admin.display(ordering="count")
    def points(self, metric: Metric) -> str:
        return f"{metric.count:,}"

    @admin.display(description="last", ordering="last")
    def last_figure(self, metric: Metric) -> SafeString:
        return cells.figure(metric.last)

    @admin.display(description="min", ordering="min")
    def min_figure(self, metric: Metric) -> SafeString:
        return cells.figure(metric.min)

    @admin.display(description="max", ordering="max")
    def max_figure(self, metric: Metric) -> SafeString:
        return cells.figure(metric.max)

    @admin.display(description="mean")
    def mean_figure(self, metric: Metric) -> SafeString:
        return cells.figure(metric.mean)

    @admin.display(description="last step", ordering="last_step")
    def step(self, metric: Metric) -> str:
        return cells.ABSENT if metric.last_step is None else f"{metric.last_step:,}"

    @admin.display
    def curve(self, metric: Metric) -> SafeString:
        return metric.curve  # type: ignore[attr-defined]


FIGURES = ("last_figure", "min_figure", "max_figure", "mean_figure", "step", "points")


class FirstMetrics(FirstRows):
    def get_queryset(self) -> Any:
        metrics = super().get_queryset()
        if metrics._result_cache is None:  # noqa: SLF001 -- not read yet, so nothing is drawn either
            note_curves(metrics)
        return metrics


class MetricInline(MetricCells, FirstRowsInline):
    model = Metric
    formset = FirstMetrics
    verbose_name_plural = f"the first {FIRST_ROWS} metrics"
    readonly_fields = ["link", "curve", *FIGURES]
    ordering = ["name"]

    @admin.display(description="name")
    def link(self, metric: Metric) -> SafeString:
        return cells.object_link(metric)


class MetricList(SlimList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        note_curves(self.result_list)


@admin.register(Metric)
class MetricAdmin(MetricCells, RecordAdmin):
    list_display = ["shown_name", "page", "run_link", "curve", *FIGURES]
    list_filter = [RunProjectFilter, RunFilter]
    search_fields = ["name", "run__key", "run__project__key"]
    search_help_text = "Name, run or project"
    # Sorting reads the whole table, or a run's metrics: whoever clicks on a column wants that.
    sortable_by = ["shown_name", *FIGURES]
    readonly_fields = ["name", "run_link", "summary", "large_curve", "stretches"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SlimList]:
        return MetricList

    @admin.display(description="run")
    def run_link(self, metric: Metric) -> SafeString:
        return cells.run_link(metric.run)

    @admin.display
    def summary(self, metric: Metric) -> str:
        context = {"metric": metric, "not_finite_count": metric.count - metric.finite_count}
        return render_to_string("admin/tracking/_summary.html", context)

    @admin.display(description="curve")
    def large_curve(self, metric: Metric) -> str:
        ends = metric.points.annotate(end=F("ordinal") + F("count"))
        newest = ends.filter(end__gt=metric.count - DRAWN_POINTS)
        return curve_box(lambda: newest.arrays().get(metric.pk), metric.count)

    @admin.display(description="stored in")
    def stretches(self, metric: Metric) -> SafeString:
        count = metric.points.count()
        word = "stretch" if count == 1 else "stretches"
        return cells.list_link(MetricPoint, f"{count:,} {word}", metric=metric.pk)

    @admin.display
    def page(self, metric: Metric) -> SafeString:
        return cells.page_link(self.view_on_site(metric))

    def view_on_site(self, metric: Metric) -> str:
        return cells.metric_page(metric.run, metric.name)
