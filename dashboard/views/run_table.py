"""The run table, its twins as files, and the choice of its columns."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject as Lazy

from dashboard.column_choice import choose_columns
from dashboard.decorators import page
from dashboard.folders import folder_param, folder_tree
from dashboard.htmx import htmx_target, render_page
from dashboard.params import query_param, server_url
from dashboard.problems import render_problem
from dashboard.run_table import columns_in, export_rows, tabulate_runs
from dashboard.twins import csv_file, json_file
from tracking.domain.access import can_write, find_project
from tracking.domain.values import number_word


@page
def run_list(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    if twin := TWINS.get(request.GET.get("format", "")):
        return twin(project.key, *export_rows(project, request.GET))
    table = tabulate_runs(project, request.GET)
    if table.problem and htmx_target(request) == "run-table":
        return render_problem(request, table.problem)
    context = {
        "project": project,
        "table": table,
        "folder": folder_param(request.GET),
        "folders": Lazy(lambda: folder_tree(project, request.GET)),
        "query": query_param(request.GET),
        "views": project.views.all(),
        "may_write": can_write(request.user, project),
        "limit": settings.MAX_RUNS_PER_REQUEST,
        "server_url": server_url(request),
    }
    return render_page(request, "run_list.html", context, fragments={"run-table"})


@page
def column_list(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    choice = choose_columns(project, columns_in(project, request.GET), request.GET)
    context = {"project": project, "choice": choice}
    fragments = {"columns", "column-suggestions"}
    return render_page(request, "column_list.html", context, fragments=fragments)


def runs_csv(name: str, heads: list[str], rows: Iterator[list[Any]]) -> HttpResponse:
    return csv_file(f"{name}-runs.csv", chain([heads], rows))


def runs_json(name: str, heads: list[str], rows: Iterator[list[Any]]) -> HttpResponse:
    runs = [dict(zip(heads, map(_strict, row), strict=True)) for row in rows]
    return json_file({"project": name, "columns": heads, "runs": runs})


TWINS = {"csv": runs_csv, "json": runs_json}


def _strict(value: Any) -> Any:
    """Strict JSON has no word for NaN and infinities; they become texts."""
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return number_word(value) if is_odd else value
