"""Who may see and change what: loading an object and the permission for it are one call.

Only open mode exists so far: the server is bound to loopback, and whoever reaches it acts as the
built-in user `local`, a superuser.
"""

from functools import cache

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from tracking.enums import Role
from tracking.errors import NotFound, NotPermitted
from tracking.models import Project, Run, User

Caller = User | AnonymousUser
WRITERS = [Role.EDITOR, Role.OWNER]


@cache  # it is asked for on every batch, and only tests ever remove it
def local_user() -> User:
    """The user that everybody is in open mode."""
    return User.objects.get_or_create(
        username="local", defaults={"is_staff": True, "is_superuser": True}
    )[0]


def visible_projects(user: Caller) -> QuerySet[Project]:
    if not isinstance(user, User) or not user.is_active:
        return Project.objects.none()
    if user.is_superuser:
        return Project.objects.all()
    mine = Q(owner=user) | Q(memberships__user=user)
    return Project.objects.filter(mine | Q(is_public=True)).distinct()


def can_write(user: Caller, project: Project) -> bool:
    if not isinstance(user, User) or not user.is_active:
        return False
    return (
        user.is_superuser
        or project.owner_id == user.pk
        or project.memberships.filter(user=user, role__in=WRITERS).exists()
    )


def require_write(user: Caller, project: Project) -> None:
    """Raises: NotPermitted."""
    if not can_write(user, project):
        raise NotPermitted(f"You may not change project '{project.key}'.")


def find_project(user: Caller, key: str, *, write: bool = False) -> Project:
    """A NUL, which some databases refuse, is in no key. Raises: NotFound, NotPermitted."""
    project = None if "\0" in key else visible_projects(user).filter(key=key).first()
    if project is None:
        raise NotFound(f"Project '{key}' not found")
    if write:
        require_write(user, project)
    return project


def find_run(user: Caller, project_key: str, run_key: str, *, write: bool = False) -> Run:
    """The run, with its project loaded. Raises: NotFound, NotPermitted."""
    project = find_project(user, project_key, write=write)
    run = None if "\0" in run_key else project.runs.filter(key=run_key).first()
    if run is None:
        raise NotFound(f"Run '{run_key}' not found in project '{project_key}'")
    run.project = project
    return run


def require_write_run(user: Caller, run_id: int) -> None:
    """As `require_write`, for a run known by its id. Raises: NotPermitted."""
    if not (isinstance(user, User) and user.is_superuser):  # spares the query in open mode
        require_write(user, Project.objects.get(runs=run_id))
