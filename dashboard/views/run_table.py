"""The run table."""

from django.http import HttpRequest, HttpResponse

from dashboard.decorators import page
from dashboard.htmx import render_page
from dashboard.listing import cut_page, list_runs
from dashboard.params import text_param
from dashboard.run_table import tabulate_runs
from tracking.domain.access import find_project


@page
def run_list(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    query = text_param(request.GET, "q")
    runs = cut_page(list_runs(project, query=query), request.GET.get("page"))
    context = {"project": project, "query": query, "runs": runs, "table": tabulate_runs(runs)}
    return render_page(request, "run_list.html", context, fragments={"run-table"})
