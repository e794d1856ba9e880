"""Who may see and change what: loading an object and the permission for it are one call.

In open mode everybody without credentials is the built-in user `local`, a superuser. An API token
narrows its user: it never gives more than he has.
"""

from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from tracking.domain.tokens import require_scope, token_allows
from tracking.enums import Role
from tracking.errors import NotFound, NotPermitted, RunDeleted
from tracking.models import Membership, Project, Run, User

Caller = User | AnonymousUser
RANKS = {role: rank for rank, role in enumerate(Role)}  # as Role lists them: a viewer may least
SHARED_PROJECT = "default"  # where jobs log that name no project: all who sign in may write there


class Rights(NamedTuple):
    """What pages ask, to leave out what would be refused."""

    may_write: bool
    may_manage: bool


@cache  # it is asked for on every batch, and only tests ever remove it
def local_user() -> User:
    """The user that everybody is in open mode."""
    return User.objects.get_or_create(
        username="local", defaults={"is_staff": True, "is_superuser": True}
    )[0]


def is_open() -> bool:
    """Whether nobody has to say who they are."""
    return bool(settings.ACCESS == "open")


def visible_projects(user: Caller) -> QuerySet[Project]:
    if not isinstance(user, User) or not user.is_active:
        return Project.objects.none()
    projects = Project.objects.all()
    if user.token and user.token.project_id:
        projects = projects.filter(pk=user.token.project_id)
    if user.is_superuser:
        return projects
    memberships = Membership.objects.filter(user=user)
    mine = Q(owner=user) | Q(pk__in=memberships.values("project")) | Q(is_public=True)
    return projects.filter(mine if is_open() else mine | Q(key=SHARED_PROJECT))


def role_in(user: Caller, project: Project) -> Role | None:
    """What the user is in the project, whatever his token; None: it is not for him to see."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser or project.owner_id == user.pk:
        return Role.OWNER
    roles = [Role(role) for role in _membership_roles(user, project)]
    if project.key == SHARED_PROJECT and not is_open():
        roles.append(Role.EDITOR)
    if project.is_public:
        roles.append(Role.VIEWER)
    return max(roles, key=RANKS.__getitem__, default=None)


def _membership_roles(user: User, project: Project) -> QuerySet[Membership, str]:
    return project.memberships.filter(user=user).values_list("role", flat=True)


def rights_in(user: Caller, project: Project) -> Rights:
    """One query at most."""
    role = role_in(user, project)
    if not isinstance(user, User) or not token_allows(user.token, project, write=True):
        return Rights(may_write=False, may_manage=False)
    return Rights(may_write=role in {Role.EDITOR, Role.OWNER}, may_manage=role is Role.OWNER)


def can_write(user: Caller, project: Project) -> bool:
    return rights_in(user, project).may_write


def require_write(user: Caller, project: Project) -> None:
    """Raises: NotPermitted."""
    if not can_write(user, project):
        _require_scope(user, project)
        raise NotPermitted(f"You may not change project '{project.key}'.")


def require_manage(user: Caller, project: Project) -> None:
    """Raises: NotPermitted."""
    if not rights_in(user, project).may_manage:
        _require_scope(user, project)
        raise NotPermitted(f"Only owners may do this to project '{project.key}'.")


def require_superuser(user: Caller) -> None:
    """Raises: NotPermitted."""
    if not (isinstance(user, User) and user.is_superuser):
        raise NotPermitted("Only administrators may do this.")


def _require_scope(user: Caller, project: Project) -> None:
    if isinstance(user, User):
        require_scope(user.token, project)


def find_project(user: Caller, key: str, *, write: bool = False, manage: bool = False) -> Project:
    """A NUL, which some databases refuse, is in no key. Raises: NotFound, NotPermitted."""
    project = None if "\0" in key else visible_projects(user).filter(key=key).first()
    if project is None:
        raise NotFound(f"Project '{key}' not found")
    _require(user, project, write=write, manage=manage)
    return project


def find_run(
    user: Caller, project_key: str, run_key: str, *, write: bool = False, manage: bool = False
) -> Run:
    """The run, with its project loaded. Raises: NotFound, NotPermitted."""
    project = find_project(user, project_key, write=write, manage=manage)
    run = None if "\0" in run_key else project.runs.filter(key=run_key).first()
    if run is None:
        raise NotFound(f"Run '{run_key}' not found in project '{project_key}'")
    run.project = project
    return run


def find_project_by_id(
    user: Caller, project_id: int, *, write: bool = False, manage: bool = False
) -> Project:
    """Raises: NotFound, NotPermitted."""
    project = visible_projects(user).filter(pk=project_id).first()
    if project is None:
        raise NotFound(f"Project {project_id} not found")
    _require(user, project, write=write, manage=manage)
    return project


def find_run_by_id(user: Caller, run_id: int, *, write: bool = False, manage: bool = False) -> Run:
    """The run, with its project loaded. Raises: NotFound, NotPermitted."""
    run = visible_runs(user).select_related("project").filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"Run {run_id} not found")
    _require(user, run.project, write=write, manage=manage)
    return run


def visible_runs(user: Caller) -> QuerySet[Run]:
    return Run.objects.filter(project__in=visible_projects(user))


def _require(user: Caller, project: Project, *, write: bool, manage: bool) -> None:
    if manage:
        require_manage(user, project)
    elif write:
        require_write(user, project)


def require_write_run(user: Caller, run_id: int) -> None:
    """As `require_write`, for a run known by its id. Raises: NotPermitted, RunDeleted."""
    is_boundless = isinstance(user, User) and user.is_superuser and user.token is None
    if is_boundless:  # spares the query in open mode
        return
    project = Project.objects.filter(runs=run_id).first()
    if project is None:
        raise RunDeleted("The run was deleted.")
    require_write(user, project)
