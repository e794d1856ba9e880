"""Runs beside each other: what differs, their curves, and how their figures hang together."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from dashboard.compare import (
    PLOTS,
    VIEWS,
    Comparison,
    choose_runs,
    diff_rows,
    leave_out,
    other_params,
    suggest_runs,
    tabulate_diffs,
    view_of,
)
from dashboard.decorators import page
from dashboard.diffs import MISSING, Row
from dashboard.folders import folder_param
from dashboard.htmx import render_page
from dashboard.panels import grid_of
from dashboard.params import query_param, text_param
from dashboard.scatter import (
    SUGGESTED,
    RunPlot,
    parallel_fields,
    plot_runs,
    runs_to_plot,
    scatter_fields,
)
from dashboard.templatetags.dashboard_format import path_name
from dashboard.twins import csv_file, json_file
from tracking.domain.access import can_write, find_project
from tracking.domain.fields import suggest_fields
from tracking.errors import InvalidInput
from tracking.models import SERIES_COLORS, Project, Run

FRAGMENTS = {"compare-diffs", "compare-plot", "chart-grid", "group-fields"}
FORMATS = ("csv", "json")


@page
def compare(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    if "without" in request.GET:
        return redirect(f"{request.path}?{leave_out(request.GET)}")
    comparison = choose_runs(project, request.GET)
    if "format" in request.GET:
        return twin(request, project, comparison)
    context = page_context(request, project, comparison)
    return render_page(request, "compare.html", context, fragments=FRAGMENTS)


def page_context(request: HttpRequest, project: Project, comparison: Comparison) -> dict[str, Any]:
    params, view = request.GET, view_of(request.GET)
    context = {
        "project": project,
        "comparison": comparison,
        "tabs": VIEWS,
        "view": view,
        "is_plot": view in PLOTS,
        "find": text_param(params, "find"),
        "query": query_param(params),
        "folder": folder_param(params),
        "metric_query": text_param(params, "metric"),
        "other_params": other_params(params, view),
        "views": project.views.all(),
        "may_write": lambda: can_write(request.user, project),
        "other_runs": suggest_runs(project, comparison, folder_param(params)),
        # Called by the template that needs them.
        "grid": lambda: grid_of(comparison.runs, params),
        "diffs": lambda: tabulate_diffs(comparison.runs, params, is_overview=not view),
    }
    return context | plot_context(request, project, comparison) if view in PLOTS else context


def plot_context(request: HttpRequest, project: Project, comparison: Comparison) -> dict[str, Any]:
    runs, problem = runs_to_plot(project, request.GET, comparison.runs)
    return {
        "plot": plot_of(request.GET, runs),
        "problem": problem,
        "known_fields": suggest_fields(runs, limit=SUGGESTED),
    }


def plot_of(params: QueryDict, runs: QuerySet[Run]) -> RunPlot:
    find_fields = scatter_fields if view_of(params) == "scatter" else parallel_fields
    return plot_runs(runs, find_fields(runs, params))


def twin(request: HttpRequest, project: Project, comparison: Comparison) -> HttpResponse:
    """What the view shows as a file, all of it."""
    if request.GET["format"] not in FORMATS:
        raise InvalidInput("format is csv or json.", field="format")
    is_csv = request.GET["format"] == "csv"
    if view_of(request.GET) in PLOTS:
        runs, problem = runs_to_plot(project, request.GET, comparison.runs)
        if problem:
            raise InvalidInput(problem.reason, field="q")
        plot = plot_of(request.GET, runs)
        return plot_csv(project, plot) if is_csv else plot_json(project, plot)
    rows, _ = diff_rows(comparison.runs, request.GET)
    if is_csv:
        return diff_csv(project, comparison.runs, rows)
    return diff_json(project, comparison, rows)


def diff_csv(project: Project, runs: list[Run], rows: list[Row]) -> HttpResponse:
    lines = [
        [row.section.lower(), row.key, *("" if v is MISSING else v for v in row.values)]
        for row in rows
    ]
    heads = ["section", "key", *(run.key for run in runs)]
    return csv_file(f"{project.key}-comparison.csv", [heads, *lines])


def diff_json(project: Project, comparison: Comparison, rows: list[Row]) -> HttpResponse:
    keys = [run.key for run in comparison.runs]
    values = [dict(zip(keys, row.values, strict=True)) for row in rows]
    return json_file(
        {
            "project": project.key,
            "baseline": keys[0] if keys else None,
            "runs": [{"key": run.key, "name": run.name} for run in comparison.runs],
            "unknown": comparison.unknown,
            "rows": [
                {
                    "section": row.section.lower(),
                    "key": row.key,
                    "values": {key: v for key, v in by_run.items() if v is not MISSING},
                }
                for row, by_run in zip(rows, values, strict=True)
            ],
        }
    )


def plot_csv(project: Project, plot: RunPlot) -> HttpResponse:
    heads = ["run", "name", *(axis.name for axis in plot.axes)]
    lines = [[row.run.key, path_name(row.run), *row.values] for row in plot.rows]
    return csv_file(f"{project.key}-runs.csv", [heads, *lines])


def plot_json(project: Project, plot: RunPlot) -> HttpResponse:
    """What the plot's own script reads, too."""
    return json_file(
        {
            "project": project.key,
            "total": plot.total_count,
            "fields": [{"name": a.name, "label": a.label, "kind": a.kind} for a in plot.axes],
            "runs": [
                {
                    "key": row.run.key,
                    "name": path_name(row.run),
                    "color": row.run.color % SERIES_COLORS,
                    "values": row.values,
                }
                for row in plot.rows
            ],
        }
    )
