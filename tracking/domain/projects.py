"""What one does to a project."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from tracking.domain import audit
from tracking.domain.access import (
    SHARED_PROJECT,
    Caller,
    is_open,
    require_write,
    visible_projects,
)
from tracking.domain.names import KEY_ROOM, free_key, make_key
from tracking.domain.tokens import require_scope
from tracking.domain.values import clean_name, clean_tags, clean_text
from tracking.enums import Role
from tracking.errors import AlreadyExists, NameTaken, NotFound
from tracking.models import Project, Run, User


def open_project(key: str, *, user: Caller, tags: list[str] | None = None) -> Project:
    """The project to log to, created if there is none; `tags` are added to those it has.

    Raises: NotPermitted; NameTaken when the key belongs to a project the user may not see.
    """
    project = visible_projects(user).filter(key=key).first()
    if project is None:
        project = _create_project(key, user=user, tags=tags or [])
    require_write(user, project)
    _add_tags(project, tags or [])
    return project


def open_named_project(name: str, *, user: Caller, tags: list[str] | None = None) -> Project:
    """As `open_project`, by the name that people read: the caller's own project, else a team's.

    Somebody else's project of that name is never meant, public or not: then a new one is created,
    with a key of its own.
    """
    project = None
    if isinstance(user, User):
        team = Q(memberships__user=user, memberships__role__in=[Role.EDITOR, Role.OWNER])
        named = visible_projects(user).filter(Q(owner=user) | team, name=name)
        own_first = Case(When(owner=user, then=0), default=1)
        project = named.order_by(own_first, _made_for(name), "pk").first()
    if project is None:
        project = _create_project(_key_for(name), name=name, user=user, tags=tags or [])
    require_write(user, project)
    _add_tags(project, tags or [])
    return project


def open_namespaced_project(namespace: str, name: str, *, user: Caller) -> Project:
    """The project that ML-Dash calls `namespace/name`, created if there is none.

    A plain project of that key whose owner has the namespace for a user name is meant too. Raises:
    NotPermitted, NameTaken.
    """
    project = Project.objects.filter(namespace=namespace, name=name).first()
    if project is None:
        own = visible_projects(user).filter(namespace="", owner__username=namespace)
        project = own.filter(Q(key=name) | Q(name=name)).order_by("pk").first()
    if project is None:
        key = f"{make_key(namespace, 'owner')}~{make_key(name, 'project')}"[:KEY_ROOM]
        free = free_key(Project.objects, key)
        project = _create_project(free, name=name, namespace=namespace, user=user, tags=[])
    elif not visible_projects(user).filter(pk=project.pk).exists():
        raise NameTaken(f"The project '{namespace}/{name}' is taken; ask its owner to let you in.")
    require_write(user, project)
    return project


def _made_for(name: str) -> Case:
    """Before a project that was given this name later, by whomever, comes the one made with it."""
    key = _wanted_key(name)
    return Case(
        When(key=key, then=0), When(key__startswith=f"{key[:KEY_ROOM]}-", then=1), default=2
    )


def open_described_project(namespace: str, name: str, *, description: str, user: Caller) -> Project:
    """As `open_namespaced_project`; the description is for a project that has none."""
    project = open_namespaced_project(namespace, name, user=user)
    if description and not project.description:
        update_project(project, description=description)
    return project


def _create_project(
    key: str, *, user: Caller, tags: list[str], name: str = "", namespace: str = ""
) -> Project:
    _refuse_narrow_token(user)
    is_shared = key == SHARED_PROJECT and not is_open()  # it belongs to nobody, and is all people's
    owner = user if isinstance(user, User) and not is_shared else None
    project, created = Project.objects.get_or_create(
        key=key,
        defaults={"name": name or key, "namespace": namespace, "owner": owner, "tags": tags},
    )
    if not created and not visible_projects(user).filter(pk=project.pk).exists():
        raise NameTaken(f"The project name '{key}' is taken; ask its owner to let you in.")
    return project


def list_projects(user: Caller) -> QuerySet[Project, Any]:
    """The projects the user may see, by key, with `run_count`: archived runs are not counted."""
    runs = Run.objects.filter(project=OuterRef("pk"), archived_at=None).order_by()
    count = runs.values("project").annotate(n=Count("pk")).values("n")
    projects = Project.objects.filter(pk__in=visible_projects(user).values("pk"))
    return projects.annotate(run_count=Coalesce(Subquery(count), 0)).defer("notes")


@transaction.atomic
def create_project(
    name: str,
    *,
    user: User,
    description: str = "",
    is_public: bool = False,
    tags: list[str] | None = None,
) -> Project:
    """A project of the user's own; its key is made from the name.

    Raises: InvalidInput, NotPermitted; AlreadyExists when he owns one of that name.
    """
    _refuse_narrow_token(user)
    name = clean_name(name)
    _refuse_second(Project.objects.filter(owner=user), name)
    return Project.objects.create(
        key=_key_for(name),
        name=name,
        owner=user,
        description=clean_text(description, "description"),
        is_public=is_public,
        tags=clean_tags(tags or []),
    )


def _key_for(name: str) -> str:
    """A free key for a project of the caller's own."""
    return free_key(Project.objects, _wanted_key(name))


def _wanted_key(name: str) -> str:
    key = make_key(name, "project")
    # Whose key that is lets everybody write.
    return f"project-{key}" if key == SHARED_PROJECT else key


def _refuse_narrow_token(user: Caller) -> None:
    if isinstance(user, User):
        require_scope(user.token, None)


def _refuse_second(projects: QuerySet[Project], name: str) -> None:
    if projects.filter(name=name).exists():
        raise AlreadyExists("Project with this name already exists")


@transaction.atomic
def update_project(
    project: Project,
    *,
    user: Caller | None = None,
    name: str | None = None,
    tags: list[str] | None = None,
    notes: str | None = None,
    description: str | None = None,
    is_public: bool | None = None,
) -> None:
    """Replace what is given; None leaves it as it is. The key stays, and with it all links.

    Raises: InvalidInput, NotFound; AlreadyExists when the owner has another one of that name which
    `user`, who asks, may see: a refusal would tell him of others.
    """
    texts = {"notes": notes, "description": description}
    changes: dict[str, object] = {
        field: clean_text(text, field) for field, text in texts.items() if text is not None
    }
    if name is not None and (name := clean_name(name)) != project.name:
        if project.owner_id:
            seen = visible_projects(user or AnonymousUser())
            _refuse_second(seen.filter(owner=project.owner_id), name)
        changes["name"] = name
    if is_public is not None:
        changes["is_public"] = is_public
    if tags is not None:
        changes["tags"] = clean_tags(tags)
    stored = Project.objects.select_for_update().filter(pk=project.pk).values(*changes).first()
    if stored is None:
        raise NotFound(f"Project '{project.key}' was deleted.")
    audit.note_change(project, stored, changes)
    changes["updated_at"] = timezone.now()
    Project.objects.filter(pk=project.pk).update(**changes)
    for field, value in changes.items():
        setattr(project, field, value)


def _add_tags(project: Project, tags: list[str]) -> None:
    if news := [tag for tag in tags if tag not in project.tags]:
        project.tags = project.tags + news
        project.save(update_fields=["tags", "updated_at"])
