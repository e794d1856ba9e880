"""Editing one field of a run or of a project, and the page that says what a project is about."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.decorators import editor, page
from dashboard.editing import Edit, answer_edit, is_editing
from dashboard.htmx import is_htmx
from tracking.domain.access import can_write, find_project, find_run


@editor
def run_field(request: HttpRequest, project_key: str, run_key: str, field: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key, write=is_editing(request))
    edit = Edit(owner=run, field=field, is_whole=not is_htmx(request))
    return answer_edit(request, edit, may_write=can_write(request.user, run.project))


@editor
def project_field(request: HttpRequest, project_key: str, field: str) -> HttpResponse:
    project = find_project(request.user, project_key, write=is_editing(request))
    edit = Edit(owner=project, field=field, is_whole=not is_htmx(request))
    return answer_edit(request, edit, may_write=can_write(request.user, project))


@page
def project_about(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key)
    context = {
        "project": project,
        "may_write": can_write(request.user, project),
        "run_count": project.runs.count(),
    }
    return render(request, "dashboard/project_about.html", context)
