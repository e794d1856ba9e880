"""Runs beside each other: what differs, their curves, and how their figures hang together."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboard.compare import (
    VIEWS,
    Comparison,
    choose_runs,
    diff_rows,
    leave_out,
    other_params,
    suggest_runs,
    tabulate_diffs,
)
from dashboard.decorators import page
from dashboard.diffs import MISSING
from dashboard.htmx import render_page
from dashboard.panels import grid_of
from dashboard.params import text_param
from dashboard.twins import csv_file, json_file
from tracking.domain.access import find_project
from tracking.errors import InvalidInput
from tracking.models import Project

FRAGMENTS = {"compare-diffs", "chart-grid"}


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
    asked = request.GET.get("view", "")
    view = asked if asked in {key for key, _, _ in VIEWS} else ""
    return {
        "project": project,
        "comparison": comparison,
        "views": VIEWS,
        "view": view,
        "find": text_param(request.GET, "find"),
        "metric_query": text_param(request.GET, "metric"),
        "other_params": other_params(request.GET),
        "other_runs": suggest_runs(project, comparison),
        # Called by the template that needs them.
        "grid": lambda: grid_of(comparison.runs, request.GET),
        "diffs": lambda: tabulate_diffs(comparison.runs, request.GET, is_overview=not view),
    }


def twin(request: HttpRequest, project: Project, comparison: Comparison) -> HttpResponse:
    """The table of differences as a file, all pages of it."""
    rows, _ = diff_rows(comparison.runs, request.GET)
    keys = [run.key for run in comparison.runs]
    if request.GET["format"] == "csv":
        lines = [["" if v is MISSING else v for v in row.values] for row in rows]
        heads = [[row.section.lower(), row.key] for row in rows]
        table = [
            ["section", "key", *keys],
            *(h + line for h, line in zip(heads, lines, strict=True)),
        ]
        return csv_file(f"{project.key}-comparison.csv", table)
    if request.GET["format"] != "json":
        raise InvalidInput("format is csv or json.", field="format")
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
                    "values": {
                        k: v for k, v in zip(keys, row.values, strict=True) if v is not MISSING
                    },
                }
                for row in rows
            ],
        }
    )
