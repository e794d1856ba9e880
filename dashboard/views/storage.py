"""How much room a project takes, how long its points are kept, and what lies in its trash."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.decorators import editor
from dashboard.storage_forms import QuotaForm, RetentionForm
from dashboard.trash import tell
from tracking.domain.access import find_project, require_superuser, rights_in
from tracking.domain.quotas import look_at_quota, set_quota
from tracking.domain.retention import PINNED, preview_retention, set_retention
from tracking.domain.trash import discarded_runs
from tracking.domain.weights import weigh_runs
from tracking.models import Project


@editor
def project_storage(request: HttpRequest, project_key: str) -> HttpResponse:
    """POST changes the rules."""
    project = find_project(request.user, project_key, manage=request.method == "POST")
    form = RetentionForm(request.POST or None, initial=RetentionForm.values_of(project))
    if form.done(set_retention, project):
        tell(request, "The rules are kept. They are applied once a day.")
        return redirect("dashboard:project-storage", project.key)
    return _render(request, project, form, QuotaForm.of(project))


@editor
def project_quota(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key, manage=True)
    require_superuser(request.user)
    form = QuotaForm(request.POST or None, initial=QuotaForm.values_of(project))
    if form.done(set_quota, project):
        tell(request, "The quota is changed.")
        return redirect("dashboard:project-storage", project.key)
    return _render(request, project, RetentionForm.of(project), form)


def _render(
    request: HttpRequest, project: Project, form: RetentionForm, quota_form: QuotaForm
) -> HttpResponse:
    rights = rights_in(request.user, project)
    discarded = discarded_runs(project)
    weight, trash = weigh_runs(project.runs.all()), weigh_runs(discarded)
    context = {
        "project": project,
        "weight": weight,
        "trash_count": discarded.count(),
        "trash": trash,
        "quota": look_at_quota(project, weight.total_bytes + trash.total_bytes),
        "due": preview_retention(project),
        "pinned": PINNED,
        "may_write": rights.may_write,
        "may_manage": rights.may_manage,
        "may_limit": rights.may_manage and getattr(request.user, "is_superuser", False),
        "trash_days": settings.TRASH_DAYS,
        "form": form,
        "quota_form": quota_form,
    }
    status = 400 if form.errors or quota_form.errors else 200
    return render(request, "dashboard/project_storage.html", context, status=status)
