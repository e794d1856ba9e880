"""Lists of projects and runs: filter, sort, cut into pages."""

import json
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Max, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce, Left
from django.utils import timezone

from tracking.domain.access import SHARED_PROJECT, Caller, visible_projects
from tracking.enums import RunStatus
from tracking.models import Project, Run

Row = TypeVar("Row", bound=Model)

PAGE_SIZE = 100
INTRO_LENGTH = 300  # characters of a project's notes, which may be a book
PROJECT_SORTS = {
    "activity": ("Last activity", "-last_activity_at"),
    "name": ("Name", "name"),
    "runs": ("Most runs", "-run_count"),
    "created": ("Newest", "-created_at"),
}
# Lists show none of the texts and JSON that may be large.
RUN_COLUMNS = (
    "key",
    "name",
    "folder",
    "color",
    "status",
    "tags",
    "project",
    "started_at",
    "ended_at",
    "last_seen_at",
    "resolution",
)


def cut_page(rows: QuerySet[Row], number: str | None, size: int = PAGE_SIZE) -> Page[Row]:
    """The page of that number; the nearest one there is, where there is no such page."""
    return Paginator(rows, size).get_page(number)


def list_projects(user: Caller, *, query: str, sort: str) -> QuerySet[Project, Any]:
    """Projects with `run_count`, `running_count`, `last_activity_at`, `intro`, `owner_name`, and
    whether everybody who signs in may read it: `is_shared`.

    Archived runs are not counted; notes come as their beginning only.
    """
    alive_since = timezone.now() - timedelta(seconds=settings.STALE_AFTER_S)
    kept = Q(runs__deleted_at=None)
    listed = kept & Q(runs__archived_at=None)
    running = listed & Q(runs__status=RunStatus.RUNNING, runs__last_seen_at__gte=alive_since)
    # The subquery keeps the joins of the permission out of the counts.
    projects = Project.objects.filter(pk__in=visible_projects(user).values("pk")).annotate(
        run_count=Count("runs", filter=listed),
        running_count=Count("runs", filter=running),
        last_activity_at=Coalesce(Max("runs__last_seen_at", filter=kept), "created_at"),
        intro=Left("notes", INTRO_LENGTH),
        owner_name=F("owner__username"),
        is_shared=Q(is_public=True) | Q(key=SHARED_PROJECT),
    )
    return filter_by_text(projects, query).defer("notes").order_by(PROJECT_SORTS[sort][1], "key")


def only_shown(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.only(*RUN_COLUMNS)


def filter_by_text(rows: QuerySet[Row, Any], query: str) -> QuerySet[Row, Any]:
    """Rows with every word of the query in their name, their key or one of their tags."""
    for word in query.split():
        # SQLite keeps tags as JSON text, where é is \u00e9; PostgreSQL shows it as itself.
        tagged = Q(tag_text__icontains=word) | Q(tag_text__icontains=json.dumps(word)[1:-1])
        named = Q(name__icontains=word) | Q(key__icontains=word)
        rows = rows.alias(tag_text=Cast("tags", TextField())).filter(named | tagged)  # type: ignore[assignment]
    return rows
