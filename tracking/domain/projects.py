"""What one does to a project."""

from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from tracking.domain.access import Caller, require_write, visible_projects
from tracking.domain.values import clean_tags, clean_text
from tracking.errors import NameTaken, NotFound
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


def _create_project(key: str, *, user: Caller, tags: list[str]) -> Project:
    owner = user if isinstance(user, User) else None
    project, created = Project.objects.get_or_create(
        key=key, defaults={"name": key, "owner": owner, "tags": tags}
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
def update_project(
    project: Project,
    *,
    tags: list[str] | None = None,
    notes: str | None = None,
    description: str | None = None,
) -> None:
    """Replace what is given; None leaves it as it is. Raises: InvalidInput, NotFound."""
    texts = {"notes": notes, "description": description}
    changes: dict[str, object] = {
        field: clean_text(text, field) for field, text in texts.items() if text is not None
    }
    if tags is not None:
        changes["tags"] = clean_tags(tags)
    changes["updated_at"] = timezone.now()
    if not Project.objects.filter(pk=project.pk).update(**changes):
        raise NotFound(f"Project '{project.key}' was deleted.")
    for field, value in changes.items():
        setattr(project, field, value)


def _add_tags(project: Project, tags: list[str]) -> None:
    if news := [tag for tag in tags if tag not in project.tags]:
        project.tags = project.tags + news
        project.save(update_fields=["tags", "updated_at"])
