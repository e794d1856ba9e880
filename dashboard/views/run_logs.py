"""The log lines of a run, and those that come while it runs."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from dashboard.decorators import page
from dashboard.downloads import send_text
from dashboard.htmx import htmx_target
from dashboard.run_logs import cut_logs, text_lines
from dashboard.run_parts import render_part
from tracking.domain.access import find_run

STOP_POLLING = 286  # HTMX's own status


@page
def run_logs(request: HttpRequest, project_key: str, run_key: str) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    if request.GET.get("format") == "text":
        name = f"{project_key}-{run_key}.log"
        return send_text(text_lines(run, request.GET), name=name)
    logs = cut_logs(run, request.GET)
    if htmx_target(request) == "log-tail" and not logs.lines:
        return HttpResponse(status=STOP_POLLING if run.is_finished else 204)
    return render_part(request, run, "logs", {"logs": logs}, also="log-tail")
