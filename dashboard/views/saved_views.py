"""Saved views: open one, keep one, delete one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from dashboard.decorators import action, editor, page
from dashboard.params import text_param
from tracking.domain.access import find_project
from tracking.domain.values import clean_name
from tracking.domain.views import delete_view, save_view
from tracking.enums import ViewPage
from tracking.models import SavedView

PAGES = {
    ViewPage.CHARTS: "dashboard:project-detail",
    ViewPage.RUNS: "dashboard:run-list",
    ViewPage.COMPARE: "dashboard:compare",
}


@action
def saved_view_list(request: HttpRequest, project_key: str) -> HttpResponse:
    """Save one. A taken name is asked about first: the form comes back with `replace=1`."""
    project = find_project(request.user, project_key, write=True)
    name = clean_name(request.POST.get("name", ""))
    given = {"page": text_param(request.POST, "page"), "query": request.POST.get("query", "")}
    replace = request.POST.get("replace") == "1"
    existing = project.views.filter(name=name).first()
    if existing and not replace:
        unsaved = SavedView(project=project, name=name, **given)
        context = {"project": project, "view": existing, "given": given, "back": view_url(unsaved)}
        return render(request, "dashboard/saved_view_replacement.html", context)
    view = save_view(project, name=name, user=request.user, replace=replace, **given)
    messages.success(request, f"View “{view.name}” saved.")
    return redirect(view_url(view))


@page
def saved_view_detail(request: HttpRequest, project_key: str, view_id: str) -> HttpResponse:
    """The page as it was set up: the short address of it stays, the view may be replaced."""
    project = find_project(request.user, project_key)
    return redirect(view_url(get_object_or_404(project.views, pk=view_id)))


@editor
def saved_view_deletion(request: HttpRequest, project_key: str, view_id: str) -> HttpResponse:
    project = find_project(request.user, project_key, write=True)
    view = get_object_or_404(project.views, pk=view_id)
    if request.method != "POST":
        context = {"project": project, "view": view, "url": view_url(view)}
        return render(request, "dashboard/saved_view_deletion.html", context)
    delete_view(view)
    messages.success(request, f"View “{view.name}” deleted.")
    return redirect(reverse(PAGES[ViewPage(view.page)], args=[project.key]))


def view_url(view: SavedView) -> str:
    address = reverse(PAGES[ViewPage(view.page)], args=[view.project.key])
    return f"{address}?{view.query}" if view.query else address
