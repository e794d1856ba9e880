"""What people have edited, one edit after the other, for whoever keeps a copy elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone

from tracking.domain.access import Caller, visible_projects, visible_runs
from tracking.models import Project, Run

RUN_FIELDS = ("tags", "notes", "readme")
PROJECT_FIELDS = ("tags", "notes")
# Of entries that are written at the same time one with a smaller number may be committed later.
SETTLE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Edit:
    """`values`: the edited fields as they are now. Without a `run` it was the project's."""

    id: int
    edited_at: datetime
    project: Project
    run: Run | None
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EditPage:
    """`next_id`: what to ask for next time."""

    edits: list[Edit]
    next_id: int


def list_edits(user: Caller, *, since: int, limit: int) -> EditPage:
    """Edits of tags, notes and readmes after number `since`, oldest first, of what the user may see.

    They come from the audit log, so what trainings say of themselves is not among them.
    """
    settled = _newest_settled()
    entries = list(_entries(user).filter(pk__gt=since).order_by("pk")[:limit])
    ids = {kind: [entry.object_id for entry in entries if _kind(entry) is kind] for kind in KINDS}
    runs = Run.objects.select_related("project").in_bulk(ids[Run])
    projects = Project.objects.in_bulk(ids[Project])
    found = [_edit(entry, runs, projects) for entry in entries]
    last = entries[-1].pk if entries else since
    next_id = last if len(entries) == limit else max(last, settled)
    return EditPage([edit for edit in found if edit], next_id)


KINDS = {Run: RUN_FIELDS, Project: PROJECT_FIELDS}


def _entries(user: Caller) -> Any:
    mine = {Run: visible_runs(user), Project: visible_projects(user)}
    wanted = Q()
    for kind, fields in KINDS.items():
        wanted |= Q(
            content_type=ContentType.objects.get_for_model(kind),
            object_id__in=mine[kind].order_by().values("pk"),
            changes__has_any_keys=list(fields),
        )
    return LogEntry.objects.filter(wanted, action=LogEntry.Action.UPDATE)


def _kind(entry: LogEntry) -> type[Run] | type[Project]:
    is_run = entry.content_type_id == ContentType.objects.get_for_model(Run).pk
    return Run if is_run else Project


def _edit(entry: LogEntry, runs: dict[int, Run], projects: dict[int, Project]) -> Edit | None:
    """None for what was deleted this moment."""
    run = runs.get(entry.object_id) if _kind(entry) is Run else None
    project = run.project if run else projects.get(entry.object_id)
    about = run or project
    if about is None or project is None or (run is None and _kind(entry) is Run):
        return None
    fields = [field for field in KINDS[_kind(entry)] if field in entry.changes]
    values = {field: getattr(about, field) for field in fields}
    return Edit(entry.pk, entry.timestamp, project, run, values)


def _newest_settled() -> int:
    older = LogEntry.objects.filter(timestamp__lt=timezone.now() - SETTLE)
    return older.order_by("-pk").values_list("pk", flat=True).first() or 0
