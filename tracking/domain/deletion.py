"""Deleting runs and projects with all that lies in them: points are counted, never loaded.

Files go once the transaction has committed. Producers stay, without a run: a job that goes on
logging is told that its run was deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Length

from tracking.domain import audit, events
from tracking.domain.artifacts import remove_files
from tracking.domain.space import return_space
from tracking.models import Artifact, LogLine, Metric, MetricPoint, Project, RowBlock, Run

RUNS_AT_ONCE = 500  # ids in one statement: SQLite may be built to take no more than 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What lies in some runs, and what deleting them frees."""

    metric_count: int = 0
    point_count: int = 0
    log_line_count: int = 0
    file_count: int = 0
    data_bytes: int = 0  # packed points and rows, in the database
    file_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        return self.data_bytes + self.file_bytes


def weigh_runs(runs: QuerySet[Run]) -> Weight:
    """Five queries, whatever there is."""
    chosen = runs.order_by().values("pk")
    metrics = Metric.objects.filter(run__in=chosen).aggregate(n=Count("pk"), points=Sum("count"))
    files = _files_of(runs).aggregate(n=Count("pk"), size=Sum("size_bytes"))
    packed = [
        model.objects.filter(run__in=chosen).aggregate(size=Sum(Length("data")))["size"] or 0
        for model in (MetricPoint, RowBlock)
    ]
    return Weight(
        metric_count=metrics["n"],
        point_count=metrics["points"] or 0,
        log_line_count=LogLine.objects.filter(run__in=chosen).count(),
        file_count=files["n"],
        data_bytes=sum(packed),
        file_bytes=files["size"] or 0,
    )


@transaction.atomic
def delete_runs(runs: QuerySet[Run]) -> Weight:
    """Delete the runs; tells what was in them. Their names may be used again at once."""
    chosen = Run.objects.filter(pk__in=runs.order_by().values("pk")).order_by("pk")
    # Locked: a batch that is on its way in comes before all this, or finds the run deleted.
    run_ids = list(chosen.select_for_update().values_list("pk", flat=True))
    weight = weigh_runs(chosen)
    audit.note_deletions(audit.named(chosen))
    for some_ids in _in_pieces(run_ids):
        _delete(Run.objects.filter(pk__in=some_ids))
    for run_id in run_ids:
        events.announce(run_id, events.GONE)
    transaction.on_commit(return_space, robust=True)
    return weight


@transaction.atomic
def delete_projects(projects: QuerySet[Project]) -> Weight:
    """Delete the projects and their runs; tells what was in them."""
    project_ids = list(projects.values_list("pk", flat=True))
    weight = delete_runs(Run.objects.filter(project__in=project_ids))
    Project.objects.filter(pk__in=project_ids).delete()
    return weight


def _delete(runs: QuerySet[Run]) -> None:
    remove_files(_files_of(runs))
    MetricPoint.objects.filter(run__in=runs).delete()
    # Run.delete() alone would load every metric, to look for points that have just gone.
    metrics = Metric.objects.filter(run__in=runs)
    metrics._raw_delete(metrics.db)  # noqa: SLF001 -- Django has no public way without loading
    runs.delete()


def _files_of(runs: QuerySet[Run]) -> QuerySet[Artifact]:
    return Artifact.objects.filter(run__in=runs.order_by().values("pk"), deleted_at=None)


def _in_pieces(run_ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(run_ids), RUNS_AT_ONCE):
        yield run_ids[start : start + RUNS_AT_ONCE]
