"""Who may see and change a project: its members, their roles, its owner, and who is invited."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from dashboard.decorators import action, editor, page
from dashboard.forms import InvitationForm, MemberForm, OwnerForm
from dashboard.htmx import client_redirect, is_htmx, render_page
from dashboard.listing import PAGE_SIZE
from dashboard.params import text_param
from dashboard.views.accounts import with_accounts
from tracking.domain.access import find_project, rights_in, visible_projects
from tracking.domain.accounts import search_accounts
from tracking.domain.people import (
    Member,
    change_role,
    find_member,
    list_members,
    may_leave,
    remove_member,
    set_public,
    transfer_project,
)
from tracking.domain.registration import (
    list_invitations,
    make_invitation,
    may_invite,
    withdraw_invitation,
)
from tracking.enums import Role
from tracking.errors import NotFound
from tracking.models import Project, User

WITHDRAWN = "The invitation is withdrawn: its link opens nothing any more."


@editor
def member_list(request: HttpRequest, project_key: str) -> HttpResponse:
    """POST adds a member."""
    project = find_project(request.user, project_key, manage=request.method == "POST")
    form = MemberForm(request.POST or None)
    if form.add_to(project):
        messages.success(request, f"{form.cleaned_data['username']} is a member now.")
        return redirect("dashboard:member-list", project.key)
    return render_members(request, project, form)


def render_members(request: HttpRequest, project: Project, form: MemberForm) -> HttpResponse:
    members = list_members(project)
    may_manage = rights_in(request.user, project).may_manage
    context = {
        "project": project,
        "members": Paginator(members, PAGE_SIZE).get_page(request.GET.get("page")),
        **standing(request, members),
        "may_manage": may_manage,
        "may_invite": isinstance(request.user, User) and may_invite(request.user, project),
        "invitations": list_invitations(project) if may_manage else [],
        "roles": Role.choices,
        "form": form,
        "invitation_form": InvitationForm(auto_id="invited_%s"),  # another form has a role
    }
    response = render_page(request, "member_list.html", context, fragments={"member-table"})
    response.status_code = 400 if form.errors else 200
    return response


def standing(request: HttpRequest, members: list[Member]) -> dict[str, bool]:
    """Whether the reader is a member, and may cease to be."""
    return {
        "is_member": any(member.user.pk == request.user.pk for member in members),
        "may_leave": may_leave(members, request.user.pk),
    }


@action
def member(request: HttpRequest, project_key: str, user_id: str) -> HttpResponse:
    """Another role."""
    project = find_project(request.user, project_key, manage=True)
    person = find_member(project, int(user_id)).user
    change_role(project, person, role=request.POST.get("role", ""))
    if is_htmx(request) and person.pk != request.user.pk:  # one's own role changes the whole page
        return render_members(request, project, MemberForm())
    messages.success(request, f"{person.username} has the role {request.POST['role']} now.")
    here = reverse("dashboard:member-list", args=[project.key])
    return client_redirect(here) if is_htmx(request) else redirect(here)


@editor
def member_removal(request: HttpRequest, project_key: str, user_id: str) -> HttpResponse:
    """Of somebody else; oneself leaves."""
    project = find_project(request.user, project_key, manage=True)
    if int(user_id) == request.user.pk:
        return redirect("dashboard:departure", project.key)
    member = find_member(project, int(user_id))
    if request.method != "POST":
        context = {"project": project, "member": member}
        return render(request, "dashboard/member_removal.html", context)
    remove_member(project, member.user)
    messages.success(request, f"{member.user.username} is no member any more.")
    return redirect("dashboard:member-list", project.key)


@page
def person_list(request: HttpRequest, project_key: str) -> HttpResponse:
    """Whom an owner may mean, while typing."""
    find_project(request.user, project_key, manage=True)
    people = search_accounts(text_param(request.GET, "username"))
    return render(request, "dashboard/_person_suggestions.html", {"people": people})


@editor
def departure(request: HttpRequest, project_key: str) -> HttpResponse:
    """Leave the project."""
    project = find_project(request.user, project_key)
    if request.method != "POST":
        context = {"project": project, **standing(request, list_members(project))}
        return render(request, "dashboard/departure.html", context)
    remove_member(project, get_object_or_404(User, pk=request.user.pk))
    messages.success(request, f"You have left the project {project.name}.")
    if visible_projects(request.user).filter(pk=project.pk).exists():
        return redirect("dashboard:member-list", project.key)
    return redirect("dashboard:project-list")


@editor
def ownership(request: HttpRequest, project_key: str) -> HttpResponse:
    """Give the project to another member."""
    project = find_project(request.user, project_key, manage=True)
    others = [person for person, _ in list_members(project) if person.pk != project.owner_id]
    form = OwnerForm(request.POST or None, people=others)
    if form.done(transfer_project, project):
        messages.success(request, f"The project belongs to {form.cleaned_data['user']} now.")
        return redirect("dashboard:member-list", project.key)
    context = {"project": project, "form": form, "has_others": bool(others)}
    return render(request, "dashboard/ownership.html", context, status=400 if form.errors else 200)


@action
def visibility(request: HttpRequest, project_key: str) -> HttpResponse:
    project = find_project(request.user, project_key, manage=True)
    set_public(project, is_public=request.POST.get("public") == "1")
    who = "everybody who signs in" if project.is_public else "its members"
    messages.success(request, f"The project can be read by {who} now.")
    return redirect("dashboard:member-list", project.key)


@with_accounts
@action
def invitation_list(request: HttpRequest, project_key: str) -> HttpResponse:
    """Make a link that makes an account, and a member of it. It is shown once."""
    project = find_project(request.user, project_key, manage=True)
    form = InvitationForm(request.POST)
    if form.done(make_invitation, request.user, project=project):
        return render_invitation(request, form, project)
    messages.error(request, " ".join(form.reasons()))
    return redirect("dashboard:member-list", project.key)


@action
def invitation_withdrawal(
    request: HttpRequest, project_key: str, invitation_id: str
) -> HttpResponse:
    project = find_project(request.user, project_key, manage=True)
    withdraw_invitation(project, int(invitation_id))
    messages.success(request, WITHDRAWN)
    return redirect("dashboard:member-list", project.key)


@with_accounts
@editor
def invite(request: HttpRequest) -> HttpResponse:
    """Administrators invite people to the server, and to no project yet."""
    user = inviting(request)
    form = InvitationForm(request.POST or None)
    del form.fields["role"]
    if form.done(make_invitation, user):
        return render_invitation(request, form)
    context = {"form": form, "invitations": list_invitations(None)}
    status = 400 if form.errors else 200
    return render(request, "dashboard/invitation_form.html", context, status=status)


@with_accounts
@action
def server_invitation_withdrawal(request: HttpRequest, server_invitation_id: str) -> HttpResponse:
    inviting(request)
    withdraw_invitation(None, int(server_invitation_id))
    messages.success(request, WITHDRAWN)
    return redirect("dashboard:invitation-list")


def inviting(request: HttpRequest) -> User:
    """The administrator who asks. Raises: NotFound, when it is none."""
    if isinstance(request.user, User) and may_invite(request.user):
        return request.user
    raise NotFound("Only administrators invite people here.")


def render_invitation(
    request: HttpRequest, form: InvitationForm, project: Project | None = None
) -> HttpResponse:
    link = request.build_absolute_uri(reverse("dashboard:join", args=[form.result]))
    context = {"project": project, "link": link, **form.cleaned_data}
    return render(request, "dashboard/invitation.html", context)
