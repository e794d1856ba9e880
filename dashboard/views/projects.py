"""Projects: the list of them, and one with its runs and charts."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.functional import SimpleLazyObject as Lazy
from django.views.decorators.http import require_safe

from dashboard.decorators import page
from dashboard.folders import folder_param, folder_tree
from dashboard.htmx import htmx_target, render_page
from dashboard.listing import PROJECT_SORTS, cut_page, list_projects
from dashboard.panels import grid_of, metrics_of
from dashboard.params import query_param, server_url, text_param
from dashboard.problems import render_problem
from dashboard.selection import COUNTS, select_runs
from dashboard.sorting import SORTS
from tracking.domain.access import can_write, find_project
from tracking.domain.fields import suggest_fields

FRAGMENTS = {"run-list", "chart-grid", "group-fields"}


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- the icon is the same for all
    """Where browsers ask when a page, say JSON, does not name its icon."""
    return redirect(static("favicon.svg"))


@page
def project_list(request: HttpRequest) -> HttpResponse:
    query, sort = text_param(request.GET, "q"), request.GET.get("sort", "")
    sort = sort if sort in PROJECT_SORTS else "activity"
    projects = list_projects(request.user, query=query, sort=sort)
    context = {
        "projects": cut_page(projects, request.GET.get("page")),
        "query": query,
        "sort": sort,
        "sorts": [(key, label) for key, (label, _) in PROJECT_SORTS.items()],
        "server_url": server_url(request),
    }
    return render_page(request, "project_list.html", context, fragments={"project-table"})


@page
def project_detail(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    selection = select_runs(project, request.GET)
    if selection.problem and htmx_target(request) == "run-list":
        return render_problem(request, selection.problem)
    context = {
        "project": project,
        "selection": selection,
        "folder": folder_param(request.GET),
        "folders": Lazy(lambda: folder_tree(project, request.GET)),
        **page_params(request),
        "views": project.views.all(),
        "may_write": lambda: can_write(request.user, project),
        # Called by the template that needs it: the run list, asked for again and again, does not.
        "grid": lambda: grid_of(selection.chosen, request.GET),
    }
    return render_page(request, "project_detail.html", context, fragments=FRAGMENTS)


@page
def field_list(request: HttpRequest, project_key: str) -> HttpResponse:
    """What one may sort by, as the browser completes it; a `-` in front stays there."""
    project = find_project(request.user, project_key)
    text = text_param(request.GET, "text").strip()
    context = {
        "project": project,
        "prefix": "-" if text.startswith("-") else "",
        "fields": suggest_fields(project.runs.all(), text.removeprefix("-")),
    }
    return render(request, "dashboard/_sort_fields.html", context)


def page_params(request: HttpRequest) -> dict[str, Any]:
    return {
        "query": query_param(request.GET),
        "metric_query": text_param(request.GET, "metric"),
        "server_url": server_url(request),
        "counts": COUNTS,
        "sorts": SORTS.items(),
    }


@page
def metric_detail(request: HttpRequest, project_key: str) -> HttpResponse:
    """The table behind a chart: the metric's figures for each of the chosen runs."""
    project = find_project(request.user, project_key)
    selection = select_runs(project, request.GET)
    name = request.GET.get("name", "").replace("\0", "")
    metrics = metrics_of(selection.chosen).filter(name=name).select_related("run")
    context = {
        "project": project,
        "name": name,
        "metrics": metrics.order_by("-run__started_at", "-run"),
        "run_keys": ",".join(run.key for run in selection.chosen),
    }
    return render_page(request, "metric_detail.html", context, fragments={"metric-table"})
