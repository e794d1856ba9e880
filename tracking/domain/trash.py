"""The trash: what was deleted is there for nobody, until it is restored or its time has run out.

A project goes with its runs: they have the same `deleted_at`, by which they come back together.
What lies in the trash takes no name, no key and no uid from anybody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from tracking.domain import audit, events
from tracking.domain.access import Caller
from tracking.domain.deletion import (
    DOOMED,
    delete_projects,
    delete_runs,
    finish_deletions,
    in_pieces,
    lock_those,
)
from tracking.domain.names import free_key
from tracking.domain.packing import fold_queue
from tracking.domain.weights import Weight, weigh_runs
from tracking.enums import Role
from tracking.errors import NotFound, NotPermitted
from tracking.models import Project, Run, User

PURGED_AT_ONCE = 100  # runs, between two of which a stopped server loses no work


@dataclass(frozen=True, slots=True)
class Discarded:
    """`moment`: by which it comes back as it went; None: it is gone for good."""

    weight: Weight
    moment: datetime | None


def discard_runs(runs: QuerySet[Run]) -> Discarded:
    """Put the runs into the trash; without one (TRASH_DAYS = 0) delete them."""
    if not settings.TRASH_DAYS:
        return Discarded(delete_runs(runs), None)
    moment = timezone.now()
    return Discarded(_discard(runs, moment), moment)


def discard_projects(projects: QuerySet[Project]) -> Discarded:
    """As `discard_runs`, with all their runs."""
    if not settings.TRASH_DAYS:
        return Discarded(delete_projects(projects), None)
    moment = timezone.now()
    with transaction.atomic():
        chosen = list(Project.objects.select_for_update().filter(pk__in=projects.values("pk")))
        weight = _discard(Run.objects.filter(project__in=[one.pk for one in chosen]), moment)
        for project in chosen:
            audit.note_change(project, {"trash": False}, {"trash": True})
            Project.objects.filter(pk=project.pk).update(deleted_at=moment)
    return Discarded(weight, moment)


@transaction.atomic
def _discard(runs: QuerySet[Run], moment: datetime) -> Weight:
    run_ids, weight = lock_those(runs), Weight()
    for some_ids in in_pieces(run_ids):
        some = Run.everything.filter(pk__in=some_ids).order_by("pk")
        weight += weigh_runs(some)
        audit.note_changes((run, {"trash": False}, {"trash": True}) for run in audit.named(some))
        some.update(deleted_at=moment)
    for run_id in run_ids:
        events.announce(run_id, events.GONE)
    return weight


def discarded_runs(project: Project) -> QuerySet[Run]:
    """Those of the project that can come back, the last one first."""
    rows = Run.everything.filter(project=project, deleted_at__gt=DOOMED)
    return rows.order_by("-deleted_at", "-pk")


def discarded_projects(user: Caller) -> QuerySet[Project]:
    """Those that the user may restore, the last one first."""
    rows = Project.everything.filter(deleted_at__gt=DOOMED).order_by("-deleted_at", "-pk")
    if not isinstance(user, User) or not user.is_active or user.token:
        return rows.none()
    if user.is_superuser:
        return rows
    shared = Q(memberships__user=user, memberships__role=Role.OWNER)
    owned = Project.everything.filter(Q(owner=user) | shared)
    return rows.filter(pk__in=owned.values("pk"))


def find_discarded_project(user: Caller, project_id: int) -> Project:
    """One that the user may restore. Raises: NotFound."""
    project = discarded_projects(user).filter(pk=project_id).first()
    if project is None:
        raise NotFound(f"Project {project_id} is not in the trash.")
    return project


@transaction.atomic
def restore_runs(runs: QuerySet[Run]) -> list[Run]:
    """Take runs of one kept project out of the trash; returns them as they are now.

    A key that was taken meanwhile becomes `key-2`, and so does a name that was the key. A training
    that still has the run's records goes on where it stopped. Raises: NotPermitted, where the
    project itself is in the trash.
    """
    rows = Run.everything.filter(pk__in=runs.order_by().values("pk"), deleted_at__gt=DOOMED)
    restored = _lock(rows)
    if any(run.project.deleted_at for run in restored):
        raise NotPermitted("Restore the project first: it is in the trash.")
    _bring_back(restored)
    return restored


def _lock(rows: QuerySet[Run]) -> list[Run]:
    shown = ("key", "name", "status", "revision", "unfolded", "project__key", "project__deleted_at")
    named = rows.select_related("project").only(*shown)
    return list(named.select_for_update(of=("self",)).order_by("pk"))


def _bring_back(runs: list[Run]) -> None:
    """In a few statements, however many they are; but for those whose key is taken."""
    audit.note_changes((run, {"trash": True}, {"trash": False}) for run in runs)
    clashing = _clashing(runs)
    waiting = {run.pk for run in clashing}
    for ids in in_pieces([run.pk for run in runs]):
        some = Run.everything.filter(pk__in=ids)
        some.update(revision=F("revision") + 1)
        some.exclude(pk__in=waiting.intersection(ids)).update(deleted_at=None)
    for run in clashing:
        _rename(run)
    for run in runs:
        run.deleted_at, run.revision = None, run.revision + 1
        events.announce(run.pk, run.revision)
        if run.unfolded:
            fold = partial(fold_queue.note, run.pk, run.revision, ended=run.is_finished)
            transaction.on_commit(fold)


def _rename(run: Run) -> None:
    key = free_key(Run.objects.filter(project=run.project_id), run.key)
    run.name = key if run.name == run.key else run.name
    run.key = key
    Run.everything.filter(pk=run.pk).update(key=key, name=run.name, deleted_at=None)


def _clashing(runs: list[Run]) -> list[Run]:
    """Those whose key is taken, or is that of one before them."""
    projects = {run.project_id for run in runs}
    taken: set[tuple[int, str]] = set()
    for keys in in_pieces([run.key for run in runs]):
        kept = Run.objects.filter(project__in=projects, key__in=keys).order_by()
        taken.update(kept.values_list("project_id", "key"))
    clashing = []
    for run in runs:
        if (run.project_id, run.key) in taken:
            clashing.append(run)
        taken.add((run.project_id, run.key))
    return clashing


@transaction.atomic
def restore_project(project: Project) -> Project:
    """Take a project out of the trash with the runs that went with it; its key may be `key-2` now."""
    locked = Project.everything.select_for_update().filter(pk=project.pk).first()
    if locked is None or locked.deleted_at in {None, DOOMED}:
        raise NotFound(f"Project '{project.key}' is not in the trash.")
    moment, locked.deleted_at = locked.deleted_at, None
    locked.key = free_key(Project.objects, locked.key)
    locked.name = _free_name(locked)
    locked.save(update_fields=["key", "name", "deleted_at", "updated_at"])
    audit.note_change(locked, {"trash": True}, {"trash": False})
    _bring_back(_lock(Run.everything.filter(project=locked, deleted_at=moment)))
    return locked


def _free_name(project: Project) -> str:
    """ML-Dash knows a project by its name in its namespace: there it may be one's only."""
    if not project.namespace:
        return project.name
    taken = set(Project.objects.filter(namespace=project.namespace).values_list("name", flat=True))
    names = [project.name, *(f"{project.name}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def empty_trash(project: Project) -> Weight:
    """Delete for good all runs that are in the project's trash."""
    return delete_runs(discarded_runs(project))


def purge_trash(*, now: datetime | None = None) -> Weight:
    """Delete for good what has been in the trash for TRASH_DAYS, in small pieces."""
    finish_deletions()
    ended = (now or timezone.now()) - timedelta(days=settings.TRASH_DAYS)
    due = Q(deleted_at__gt=DOOMED, deleted_at__lte=ended)
    weight = Weight()
    for project_id in list(Project.everything.filter(due).values_list("pk", flat=True)):
        weight += delete_projects(Project.everything.filter(due, pk=project_id))
    runs = Run.everything.filter(due)
    while some := list(runs.order_by("pk").values_list("pk", flat=True)[:PURGED_AT_ONCE]):
        weight += delete_runs(runs.filter(pk__in=some))
    return weight
