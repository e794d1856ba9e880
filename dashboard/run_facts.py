"""What a run page opens with: a few figures, and the tables behind them a page at a time."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, QuerySet, Sum

from dashboard.listing import cut_page
from dashboard.panels import telling_order
from dashboard.templatetags.dashboard_format import as_text, flatten, pretty_json
from tracking.domain.values import number_word
from tracking.models import Metric, Run

METRIC_COLUMNS = ("last", "min", "max", "mean", "last_step", "count")
FIGURE_COUNT = 12
CANDIDATES = 500  # metrics to choose from: a page that renews itself must not sort 10,000 names
SUMMARY_COUNT = 8  # of them; the rest are for the metrics
LEAVES = 100  # of a config, on one page
COPY_LENGTH = 20_000
SHOWN_ELSEWHERE = {"finish_reason", "metadata", "streams", "warnings"}  # each in its own place
FIGURE_LENGTH = 24  # of a text that can pass for a figure
COMMIT_LENGTH = 10  # the rest is for pointing at
ENVIRONMENT = {
    "hostname": "Host",
    "platform": "System",
    "cpu_count": "CPUs",
    "script": "Script",
    "git.commit": "Commit",
    "git.branch": "Branch",
    "python": "Python",
    "runyard": "Runyard SDK",
}


@dataclass(frozen=True, slots=True)
class RunFigures:
    summary: list[tuple[str, Any]]
    metrics: list[Metric]
    metric_count: int
    point_count: int
    last_step: int | None


class EnvironmentRow(NamedTuple):
    label: str
    text: str
    full_text: str  # where `text` is cut


def figures_of(run: Run) -> RunFigures:
    """The summary's first values and the last values of the metrics that come first. Three queries."""
    totals = run.metrics.aggregate(
        metrics=Count("pk"), points=Sum("count"), last_step=Max("last_step")
    )
    first = run.metrics.order_by("name").values_list("name", flat=True)[:CANDIDATES]
    names = sorted(first, key=telling_order)
    leaves = flatten(run.summary)
    summary = [leaf for leaf in leaves if _is_figure(leaf[1])][:SUMMARY_COUNT]
    main = names[: FIGURE_COUNT - len(summary)]
    found = {metric.name: metric for metric in run.metrics.filter(name__in=main)}
    return RunFigures(
        summary=summary,
        metrics=[found[name] for name in main if name in found],
        metric_count=totals["metrics"],
        point_count=totals["points"] or 0,
        last_step=totals["last_step"],
    )


def _is_figure(value: Any) -> bool:
    return not isinstance(value, dict | list) and len(as_text(value)) <= FIGURE_LENGTH


def list_metrics(run: Run, *, query: str) -> QuerySet[Metric]:
    return run.metrics.filter(name__icontains=query) if query else run.metrics.all()


def metric_rows(metrics: QuerySet[Metric]) -> list[dict[str, Any]]:
    """The table in full, for files: a row for each metric, numbers that JSON lacks as words."""
    return [
        {"metric": metric.name} | {name: _plain(getattr(metric, name)) for name in METRIC_COLUMNS}
        for metric in metrics
    ]


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else number_word(value)


def cut_metrics(run: Run, *, query: str, number: str | None) -> Page[Metric]:
    return cut_page(list_metrics(run, query=query), number)


def cut_leaves(tree: dict[str, Any], *, query: str, number: str | None) -> Page[tuple[str, Any]]:
    """The leaves with the query in their dotted key or in their value."""
    leaves = flatten(tree)
    wanted = query.lower()
    if wanted:
        leaves = [leaf for leaf in leaves if wanted in f"{leaf[0]} {as_text(leaf[1])}".lower()]
    return Paginator(leaves, LEAVES).get_page(number)


def copyable_json(tree: dict[str, Any]) -> str:
    """The JSON that a copy button takes from the page; nothing where that would make it heavy."""
    if not tree or len(flatten(tree)) > LEAVES:
        return ""
    text = pretty_json(tree)
    return text if len(text) <= COPY_LENGTH else ""


def environment_of(run: Run) -> list[EnvironmentRow]:
    """What the training said of its machine and its code: what is well known first, then the rest."""
    told = {key: value for key, value in run.metadata.items() if key not in SHOWN_ELSEWHERE}
    environment = told.pop("environment", {})
    leaves = dict(
        flatten(environment) if isinstance(environment, dict) else [("environment", environment)]
    )
    known = [(label, leaves.pop(key)) for key, label in ENVIRONMENT.items() if key in leaves]
    rest = [
        (key.removeprefix("packages.").removeprefix("variables."), leaf)
        for key, leaf in leaves.items()
    ]
    rows = [*known, *rest, *flatten(told)]
    return [EnvironmentRow(label, *_in_short(label, value)) for label, value in rows[:LEAVES]]


def metadata_of(run: Run) -> list[EnvironmentRow]:
    """What the training says of itself beside its config."""
    told = run.metadata.get("metadata", {})
    leaves = flatten(told) if isinstance(told, dict) else [("metadata", told)]
    return [EnvironmentRow(key, as_text(value), "") for key, value in leaves[:LEAVES]]


def _in_short(label: str, value: Any) -> tuple[str, str]:
    text = as_text(value)
    is_long = label == "Commit" and len(text) > COMMIT_LENGTH
    return (text[:COMMIT_LENGTH], text) if is_long else (text, "")
