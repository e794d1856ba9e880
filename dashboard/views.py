"""The pages. Each view parses, reads and renders; an HTMX request gets the fragment it asked for."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.templatetags.static import static

from dashboard.decorators import page
from dashboard.downloads import send_file
from dashboard.htmx import render_page
from dashboard.listing import PROJECT_SORTS, cut_page, list_projects, list_runs
from dashboard.panels import ChartGrid, chart_grid, grid_limit, metrics_of
from dashboard.params import text_param
from dashboard.run_table import tabulate_runs
from dashboard.selection import select_runs
from tracking.domain.access import find_project, find_run
from tracking.domain.artifacts import open_artifact
from tracking.domain.producers import find_delivery
from tracking.models import Run


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
        "server_url": _server_url(request),
    }
    return render_page(request, "project_list.html", context, fragments={"project-table"})


@page
def project_detail(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    selection = select_runs(project, request.GET)
    context = {
        "project": project,
        "selection": selection,
        "query": text_param(request.GET, "q"),
        "metric_query": text_param(request.GET, "metric"),
        "server_url": _server_url(request),
        # Called by the template that needs it: the run list, asked for every 5 s, does not.
        "grid": lambda: _grid(selection.chosen, request),
    }
    return render_page(
        request, "project_detail.html", context, fragments={"run-list", "chart-grid"}
    )


def _server_url(request: HttpRequest) -> str:
    """This server's address as its visitor knows it: what a training job has to be told."""
    return request.build_absolute_uri("/").rstrip("/")


def _grid(runs: list[Run], request: HttpRequest) -> ChartGrid:
    limit = grid_limit(request.GET.get("charts", ""))
    return chart_grid(runs, query=text_param(request.GET, "metric"), limit=limit)


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


@page
def run_list(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    query = text_param(request.GET, "q")
    runs = cut_page(list_runs(project, query=query), request.GET.get("page"))
    context = {"project": project, "query": query, "runs": runs, "table": tabulate_runs(runs)}
    return render_page(request, "run_list.html", context, fragments={"run-table"})


@page
def run_detail(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    metrics = list(run.metrics.all())
    context = {
        "project": run.project,
        "run": run,
        "metrics": metrics,
        "last_step": max((m.last_step for m in metrics if m.last_step is not None), default=None),
        "point_count": sum(metric.count for metric in metrics),
        "metric_query": text_param(request.GET, "metric"),
        "grid": lambda: _grid([run], request),
        "artifacts": run.artifacts.filter(deleted_at=None),
        "delivery": find_delivery(run),
    }
    return render_page(request, "run_detail.html", context, fragments={"run-facts", "chart-grid"})


@page
def artifact(
    request: HttpRequest, project_key: str, run_key: str, artifact_id: int
) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    found = get_object_or_404(run.artifacts, pk=artifact_id)
    return send_file(open_artifact(found), name=found.name, size_bytes=found.size_bytes)
