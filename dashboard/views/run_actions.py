"""Actions on the chosen runs of a project."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from dashboard.decorators import action
from dashboard.htmx import client_redirect, is_htmx, render_page
from dashboard.run_actions import (
    SHOWING,
    carry_out,
    choose_runs,
    open_question,
    question_context,
    showing_url,
    way_back,
)
from dashboard.trash import tell
from dashboard.views.run_detail import run_detail
from tracking.domain.access import find_project


def run_actions(request: HttpRequest, project_key: str) -> HttpResponseBase:
    """A run may be called `actions`: to read at this address is to read its page."""
    if request.method != "POST":
        return run_detail(request, project_key=project_key, run_key="actions")
    return act_on_runs(request, project_key=project_key)


@action
def act_on_runs(request: HttpRequest, project_key: str) -> HttpResponse:
    wanted = request.POST.get("action", "")
    project = find_project(request.user, project_key, write=wanted not in SHOWING)
    runs = choose_runs(project, request.POST)
    if wanted in SHOWING:
        return redirect(showing_url(wanted, project, runs))
    back = way_back(request, project)
    if question := open_question(wanted, runs, request.POST):
        context = {"back": back} | question_context(project, runs, question)
        return render_page(request, "runs_question.html", context, fragments={"runs-question"})
    done = carry_out(wanted, runs, request.POST)
    tell(request, done.text, done.undo)
    return client_redirect(back) if is_htmx(request) else redirect(back)
