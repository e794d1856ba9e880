"""Deleting runs and projects for good, with all that lies in them: points are counted, never loaded.

First they are marked, which takes them from everybody's sight; then they go piece by piece, each in
a transaction of its own, and its files once that has committed. Whatever is left of them after a
crash, the daily cleaning takes up. Producers stay, without a run: a job that goes on logging is told
that its run was deleted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from django.db import transaction
from django.db.models import QuerySet

from tracking.domain import audit, events
from tracking.domain.artifacts import remove_files
from tracking.domain.quotas import forget_room
from tracking.domain.space import return_space
from tracking.domain.weights import Weight, files_of, weigh_runs
from tracking.models import LogLine, Metric, MetricPoint, Project, RowBlock, Run

Item = TypeVar("Item")
RUNS_AT_ONCE = 400  # ids, twice in one statement: SQLite may be built to take no more than 999
ROWS_AT_ONCE = 10_000  # stretches or lines, in one transaction: 100 MB at most, as a rule a tenth
DOOMED = datetime(1970, 1, 1, tzinfo=UTC)  # as `deleted_at`: being deleted, and not to be restored


def delete_runs(runs: QuerySet[Run]) -> Weight:
    """Delete the runs, in the trash or not; tells what was in them.

    Their names may be used again at once.
    """
    run_ids, weight = _doom(runs)
    _delete_doomed(run_ids)
    return weight


def delete_projects(projects: QuerySet[Project]) -> Weight:
    """Delete the projects and their runs, also those in the trash; tells what was in them."""
    with transaction.atomic():
        project_ids = lock_those(projects)
        Project.everything.filter(pk__in=project_ids).update(deleted_at=DOOMED)
        run_ids, weight = _doom(Run.everything.filter(project__in=project_ids))
    _delete_doomed(run_ids)
    Project.everything.filter(pk__in=project_ids).delete()
    return weight


def finish_deletions() -> None:
    """What a server that was stopped has not brought to its end."""
    _delete_doomed(list(Run.everything.filter(deleted_at=DOOMED).values_list("pk", flat=True)))
    delete_projects(Project.everything.filter(deleted_at=DOOMED))


def lock_those(rows: "QuerySet[Run] | QuerySet[Project]") -> list[int]:
    """The ids of those that are still meant once nobody else can change them.

    A batch that is on its way in comes before, or finds the run deleted. Call it inside a transaction.
    """
    everything: QuerySet[Any] = cast("Any", rows.model).everything.order_by("pk")
    asked = everything.filter(pk__in=rows.order_by().values("pk"))
    ids = list(asked.select_for_update().values_list("pk", flat=True))
    # Meanwhile one may have been restored, or put into the trash: only a new look tells.
    return [
        pk
        for some in in_pieces(ids)
        for pk in rows.filter(pk__in=some).order_by("pk").values_list("pk", flat=True)
    ]


@transaction.atomic
def _doom(runs: QuerySet[Run]) -> tuple[list[int], Weight]:
    """Out of sight, and never back."""
    run_ids, weight = lock_those(runs), Weight()
    for some_ids in in_pieces(run_ids):
        some = Run.everything.filter(pk__in=some_ids).order_by("pk")
        weight += weigh_runs(some)
        audit.note_deletions(audit.named(some))
        some.update(deleted_at=DOOMED)
    for run_id in run_ids:
        events.announce(run_id, events.GONE)
    return run_ids, weight


def _delete_doomed(run_ids: list[int]) -> None:
    for some_ids in in_pieces(run_ids):
        for model in (MetricPoint, RowBlock, LogLine):
            while _delete_some(model, some_ids):
                pass
        with transaction.atomic():
            _delete(Run.everything.filter(pk__in=some_ids, deleted_at=DOOMED))
    if run_ids:
        forget_room()
        transaction.on_commit(return_space, robust=True)


@transaction.atomic
def _delete_some(model: Any, run_ids: list[int]) -> bool:
    """Tells whether there may be more."""
    rows = model.objects.filter(run__in=run_ids).order_by()
    some = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    for piece in in_pieces(some):
        rows.filter(pk__in=piece).delete()
    return len(some) == ROWS_AT_ONCE


def _delete(runs: QuerySet[Run]) -> None:
    remove_files(files_of(runs))
    # Run.delete() alone would load every metric, to look for points that have just gone.
    metrics = Metric.objects.filter(run__in=runs)
    metrics._raw_delete(metrics.db)  # noqa: SLF001 -- Django has no public way without loading
    runs.delete()


def in_pieces(ids: list[Item]) -> Iterator[list[Item]]:
    """So many at a time as one statement takes."""
    for start in range(0, len(ids), RUNS_AT_ONCE):
        yield ids[start : start + RUNS_AT_ONCE]
