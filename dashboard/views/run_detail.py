"""One run: its page, and its files."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from dashboard.decorators import page
from dashboard.downloads import send_file
from dashboard.htmx import render_page
from dashboard.panels import grid_of
from dashboard.params import text_param
from tracking.domain.access import find_run
from tracking.domain.artifacts import open_artifact
from tracking.domain.producers import find_delivery


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
        "grid": lambda: grid_of([run], request.GET),
        "artifacts": run.artifacts.filter(deleted_at=None),
        "delivery": find_delivery(run),
    }
    return render_page(request, "run_detail.html", context, fragments={"run-facts", "chart-grid"})


@page
def artifact(
    request: HttpRequest, project_key: str, run_key: str, artifact_id: str
) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    found = get_object_or_404(run.artifacts, pk=artifact_id)
    return send_file(open_artifact(found), name=found.name, size_bytes=found.size_bytes)
