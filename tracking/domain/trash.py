"""The trash: what was deleted is there for nobody, until it is restored or its time has run out.

A project goes with its runs: they have the same `deleted_at`, by which they come back together.
What lies in the trash takes no name, no key and no uid from anybody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from tracking.domain import audit, events
from tracking.domain.access import Caller
from tracking.domain.deletion import (
    DOOMED,
    delete_projects,
    delete_runs,
    finish_deletions,
    in_pieces,
)
from tracking.domain.names import free_key
from tracking.domain.packing import fold_queue
from tracking.domain.runs import revise_run
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
    chosen = Run.objects.filter(pk__in=runs.order_by().values("pk")).order_by("pk")
    # Locked: a batch that is on its way in comes before all this, or finds the run deleted.
    run_ids = list(chosen.select_for_update().values_list("pk", flat=True))
    weight = weigh_runs(chosen)
    audit.note_changes((run, {"trash": False}, {"trash": True}) for run in audit.named(chosen))
    for some_ids in in_pieces(run_ids):
        Run.objects.filter(pk__in=some_ids).update(deleted_at=moment)
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
    restored = list(rows.select_related("project").select_for_update(of=("self",)).order_by("pk"))
    if any(run.project.deleted_at for run in restored):
        raise NotPermitted("Restore the project first: it is in the trash.")
    for run in restored:
        key = free_key(Run.objects.filter(project=run.project_id), run.key)
        run.name = key if run.name == run.key else run.name
        run.key, run.deleted_at = key, None
        _bring_back(run, name=run.name, key=key)
    return restored


def _bring_back(run: Run, **fields: str) -> None:
    Run.everything.filter(pk=run.pk).update(deleted_at=None, **fields)
    audit.note_change(run, {"trash": True}, {"trash": False})
    revision = revise_run(run.pk, is_alive=False)
    transaction.on_commit(lambda: fold_queue.note(run.pk, revision, ended=run.is_finished))


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
    runs = Run.everything.filter(project=locked, deleted_at=moment)
    for run in runs.select_related("project").only("key", "project__key", "status").order_by("pk"):
        _bring_back(run)
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
    weight = Weight()
    for project in Project.everything.filter(deleted_at__gt=DOOMED, deleted_at__lte=ended):
        weight += _purge(Run.everything.filter(project=project))
        weight += delete_projects(Project.everything.filter(pk=project.pk))
    return weight + _purge(Run.everything.filter(deleted_at__gt=DOOMED, deleted_at__lte=ended))


def _purge(runs: QuerySet[Run]) -> Weight:
    weight = Weight()
    while some := list(runs.order_by("pk").values_list("pk", flat=True)[:PURGED_AT_ONCE]):
        weight += delete_runs(Run.everything.filter(pk__in=some))
    return weight
