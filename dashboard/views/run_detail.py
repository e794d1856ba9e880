"""One run: its page, and the tables that are too long for it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import SimpleLazyObject as Lazy

from dashboard.decorators import page
from dashboard.htmx import render_page
from dashboard.panels import grid_of
from dashboard.params import text_param
from dashboard.run_facts import (
    LEAVES,
    METRIC_COLUMNS,
    copyable_json,
    cut_leaves,
    cut_metrics,
    environment_of,
    figures_of,
    list_metrics,
    metadata_of,
    metric_rows,
)
from dashboard.run_files import cut_files
from dashboard.run_parts import render_part
from dashboard.templatetags.dashboard_format import flatten
from dashboard.twins import csv_file, json_file
from tracking.domain.access import can_write, find_run
from tracking.domain.producers import find_delivery
from tracking.enums import Source
from tracking.errors import InvalidInput
from tracking.models import Run


@page
def run_detail(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    context = _context(run, request.GET) | {"may_write": can_write(request.user, run.project)}
    return render_page(request, "run_detail.html", context, fragments={"run-facts", "chart-grid"})


def _context(run: Run, params: QueryDict) -> dict[str, Any]:
    """A fragment reads nothing but what it shows."""
    return {
        "project": run.project,
        "run": run,
        "figures": Lazy(lambda: figures_of(run)),
        "delivery": Lazy(lambda: find_delivery(run)),
        "metric_query": text_param(params, "metric"),
        "grid": Lazy(lambda: grid_of([run], params)),
        "leaves": Lazy(lambda: cut_leaves(run.config, query="", number=None)),
        "config_json": Lazy(lambda: copyable_json(run.config)),
        "environment": Lazy(lambda: environment_of(run)),
        "files": Lazy(lambda: cut_files(run, query="", number=None)),
        "told": Lazy(lambda: metadata_of(run)),
        "has_rows": Lazy(run.row_blocks.exists),
        "has_logs": Lazy(run.log_lines.exists),
        "is_ml_dash": run.source == Source.ML_DASH,
    }


@page
def run_config(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    query = text_param(request.GET, "q")
    leaves = cut_leaves(run.config, query=query, number=request.GET.get("page"))
    context = {"leaves": leaves, "query": query, "config_json": copyable_json(run.config)}
    return render_part(request, run, "config", context)


@page
def run_metrics(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    query = text_param(request.GET, "q")
    if "format" in request.GET:
        return metric_file(run, metric_rows(list_metrics(run, query=query)), request.GET["format"])
    metrics = cut_metrics(run, query=query, number=request.GET.get("page"))
    context = {"metrics": metrics, "query": query, "summary": flatten(run.summary)[:LEAVES]}
    return render_part(request, run, "metrics", context)


def metric_file(run: Run, rows: list[dict[str, Any]], wanted: str) -> HttpResponse:
    if wanted == "csv":
        heads = ["metric", *METRIC_COLUMNS]
        name = f"{run.project.key}-{run.key}-metrics.csv"
        return csv_file(name, [heads, *([row[head] for head in heads] for row in rows)])
    if wanted == "json":
        return json_file({"project": run.project.key, "run": run.key, "metrics": rows})
    raise InvalidInput("format is csv or json.", field="format")
