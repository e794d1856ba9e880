"""Deleting a run: what goes, and then that it is gone."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat

from dashboard.decorators import editor
from tracking.domain.access import find_run
from tracking.domain.deletion import delete_runs, weigh_runs
from tracking.domain.origins import files_of
from tracking.models import Run


@editor
def run_deletion(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key, write=True)
    chosen = Run.objects.filter(pk=run.pk)
    if request.method == "POST":
        weight = delete_runs(chosen)
        freed = filesizeformat(weight.total_bytes)
        messages.success(request, f"Deleted run “{run.name}”; {freed} are free again.")
        return redirect("dashboard:project-detail", run.project.key)
    context = {
        "project": run.project,
        "run": run,
        "weight": weigh_runs(chosen),
        "files": files_of(run),
    }
    return render(request, "dashboard/run_deletion.html", context)
