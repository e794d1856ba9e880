"""The trash: of a project its runs, of the server the projects that one owns."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat

from dashboard.decorators import action, editor, page
from dashboard.htmx import render_page
from dashboard.listing import cut_page
from dashboard.trash import (
    ask_to_choose,
    choose_discarded,
    discarded_text,
    restored_text,
    tell,
    undo_url,
)
from tracking.domain.access import find_project, find_run
from tracking.domain.deletion import delete_projects, delete_runs
from tracking.domain.origins import files_of
from tracking.domain.trash import (
    discard_projects,
    discard_runs,
    discarded_projects,
    discarded_runs,
    find_discarded_project,
    restore_project,
    restore_runs,
)
from tracking.domain.weights import weigh_runs
from tracking.errors import InvalidInput
from tracking.models import Project, Run


@editor
def run_deletion(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key, write=True)
    chosen = Run.objects.filter(pk=run.pk)
    if request.method == "POST":
        gone = discard_runs(chosen)
        text = discarded_text(f"Run “{run.name}”", gone)
        tell(request, text, undo_url(run.project, gone))
        return redirect("dashboard:project-detail", run.project.key)
    context = {"project": run.project, "run": run, "files": files_of(run)}
    context |= {"weight": weigh_runs(chosen), "trash_days": settings.TRASH_DAYS}
    return render(request, "dashboard/run_deletion.html", context)


@editor
def project_deletion(request: HttpRequest, project_key: str) -> HttpResponse:
    """Its name has to be typed."""
    project = find_project(request.user, project_key, manage=True)
    is_named = request.POST.get("name", "").strip() == project.name
    if request.method == "POST" and is_named:
        gone = discard_projects(Project.objects.filter(pk=project.pk))
        undo = f"/trash/{project.pk}/restoration" if gone.moment else ""
        tell(request, discarded_text(f"Project “{project.name}”", gone), undo)
        return redirect("dashboard:project-list")
    context = {"project": project, "run_count": project.runs.count()}
    context |= {"weight": weigh_runs(project.runs.all()), "trash_days": settings.TRASH_DAYS}
    context |= {"is_wrong": request.method == "POST"}
    status = 400 if context["is_wrong"] else 200
    return render(request, "dashboard/project_deletion.html", context, status=status)


@page
def project_trash(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key, write=True)
    runs = discarded_runs(project)
    context = {
        "project": project,
        "runs": cut_page(runs.defer("config", "summary", "metadata"), request.GET.get("page")),
        "weight": weigh_runs(runs),
        "trash_days": settings.TRASH_DAYS,
    }
    return render_page(request, "project_trash.html", context, fragments={"trash-table"})


@action
def trash_restoration(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key, write=True)
    if "moment" not in request.GET and "run" not in request.POST:
        return ask_to_choose(request, project)
    chosen = choose_discarded(project, request)
    before = dict(chosen.values_list("pk", "key"))
    tell(request, restored_text(restore_runs(chosen), before))
    return redirect("dashboard:run-list", project.key)


@editor
def trash_emptying(request: HttpRequest, project_key: str) -> HttpResponse:
    """Of the chosen runs, or of all of them: that question is asked by GET alone."""
    project = find_project(request.user, project_key, write=True)
    is_confirmed, is_all = request.POST.get("confirmed") == "1", "run" not in request.POST
    if request.method == "POST" and is_all and not is_confirmed:
        return ask_to_choose(request, project)
    runs = discarded_runs(project) if is_all else choose_discarded(project, request)
    if is_confirmed:
        freed = delete_runs(runs)
        tell(request, f"Deleted for good; {filesizeformat(freed.total_bytes)} freed.")
        return redirect("dashboard:project-trash", project.key)
    if not runs.exists():
        raise InvalidInput("The trash is empty.")
    context = {
        "project": project,
        "keys": list(runs.values_list("pk", "name")[: settings.MAX_RUNS_PER_REQUEST]),
    }
    context |= {"weight": weigh_runs(runs), "is_all": is_all}
    return render(request, "dashboard/trash_emptying.html", context)


@page
def trash(request: HttpRequest) -> HttpResponse:
    projects = cut_page(discarded_projects(request.user), request.GET.get("page"))
    context = {"projects": projects, "trash_days": settings.TRASH_DAYS}
    return render_page(request, "trash.html", context, fragments={"discarded-projects"})


@action
def project_restoration(request: HttpRequest, project_id: str) -> HttpResponse:
    found = find_discarded_project(request.user, int(project_id))
    before, project = found.key, restore_project(found)
    moved = "" if project.key == before else f" Its key is “{project.key}” now."
    tell(request, f"Project “{project.name}” restored.{moved}")
    return redirect("dashboard:project-detail", project.key)


@editor
def discarded_project_deletion(request: HttpRequest, project_id: str) -> HttpResponse:
    project = find_discarded_project(request.user, int(project_id))
    if request.method == "POST":
        freed = delete_projects(Project.everything.filter(pk=project.pk))
        tell(request, f"Deleted for good; {filesizeformat(freed.total_bytes)} freed.")
        return redirect("dashboard:trash")
    runs = Run.everything.filter(project=project)
    context = {"project": project, "weight": weigh_runs(runs), "run_count": runs.count()}
    return render(request, "dashboard/discarded_project_deletion.html", context)
