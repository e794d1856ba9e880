"""How long the points of a project's runs are kept whole, then thinned, until summaries are left.

Days are counted from the end of a run. One that has not ended, or has the tag PINNED, keeps all. A
thinned series keeps KEPT_POINTS of its points, picked as charts pick them, and with them its first,
last, lowest and highest; `Metric` says still what was logged. Thinned points take the first
ordinals; the next point of a run that goes on has the ordinal it would have had. Files and log lines
stay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

import numpy as np
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce, Length
from django.utils import timezone

from tracking.domain.downsample import kept_places
from tracking.domain.json_values import HasTag
from tracking.domain.portions import in_portions
from tracking.domain.runs import revise_run
from tracking.domain.space import return_space
from tracking.enums import Resolution, RunStatus
from tracking.errors import InvalidInput
from tracking.models import MetricPoint, Project, RowBlock, Run
from tracking.points import Columns, Stretch, encode_packed, join_stretches

KEPT_POINTS = 1_000  # as many as a chart shows
PART_POINTS = 1_000_000  # of a series, that are in memory at once: 24 MB
PINNED = "pinned"
MAX_DAYS = 36_500
METRICS_AT_ONCE = 100  # in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """Runs that were thinned, runs of which summaries are left, and the bytes that this freed."""

    thinned_count: int = 0
    summary_count: int = 0
    freed_bytes: int = 0

    def __add__(self, other: "Freed") -> "Freed":
        return Freed(
            thinned_count=self.thinned_count + other.thinned_count,
            summary_count=self.summary_count + other.summary_count,
            freed_bytes=self.freed_bytes + other.freed_bytes,
        )


def set_retention(
    project: Project, *, keep_full_days: int | None, keep_thinned_days: int | None
) -> None:
    """None: for ever. The thinned days follow the full ones. Raises: InvalidInput."""
    for field, days in (
        ("keep_full_days", keep_full_days),
        ("keep_thinned_days", keep_thinned_days),
    ):
        if days is not None and not 0 <= days <= MAX_DAYS:
            raise InvalidInput(f"A number of days from 0 to {MAX_DAYS:,}, or none.", field=field)
    if keep_full_days is None and keep_thinned_days is not None:
        raise InvalidInput("What is never thinned needs no days for it.", field="keep_thinned_days")
    after = {"keep_full_days": keep_full_days, "keep_thinned_days": keep_thinned_days}
    for name, days in after.items():
        setattr(project, name, days)
    project.save(update_fields=[*after, "updated_at"])


def due_for_thinning(project: Project, now: datetime) -> QuerySet[Run]:
    """Ended long enough ago, with more points than are kept; not those whose points go altogether."""
    if project.keep_full_days is None:
        return project.runs.none()
    points = MetricPoint.objects.filter(run=OuterRef("pk")).order_by().values("metric")
    long = points.annotate(n=Sum("count")).filter(n__gt=KEPT_POINTS)
    ended = _ended(project, now - timedelta(days=project.keep_full_days))
    summarized = due_for_summary(project, now).order_by().values("pk")
    return (
        ended.filter(Exists(long)).exclude(resolution=Resolution.SUMMARY).exclude(pk__in=summarized)
    )


def due_for_summary(project: Project, now: datetime) -> QuerySet[Run]:
    if project.keep_full_days is None or project.keep_thinned_days is None:
        return project.runs.none()
    days = project.keep_full_days + project.keep_thinned_days
    points = MetricPoint.objects.filter(run=OuterRef("pk"))
    return _ended(project, now - timedelta(days=days)).filter(Exists(points))


def _ended(project: Project, until: datetime) -> QuerySet[Run]:
    ended = project.runs.exclude(status=RunStatus.RUNNING).exclude(HasTag(PINNED))
    return ended.alias(end=Coalesce("ended_at", "last_seen_at")).filter(end__lte=until)


def preview_retention(project: Project, *, now: datetime | None = None) -> Freed:
    """What would go today. The bytes of thinning are an estimate: half the points, half the bytes."""
    now = now or timezone.now()
    thinned, summarized = due_for_thinning(project, now), due_for_summary(project, now)
    points = MetricPoint.objects.filter(run__in=thinned.order_by().values("pk")).order_by()
    sums = points.values("metric").annotate(n=Sum("count"), size=Sum(Length("data")))
    spared = sum(
        int(one["size"] * (1 - KEPT_POINTS / one["n"])) for one in sums.filter(n__gt=KEPT_POINTS)
    )
    dropped = sum(_size(rows) for rows in _dropped(summarized))
    return Freed(
        thinned_count=thinned.count(),
        summary_count=summarized.count(),
        freed_bytes=spared + dropped,
    )


def apply_retention(project: Project, *, now: datetime | None = None) -> Freed:
    """Thin and drop what is due, run by run, in short transactions. Doing it again changes nothing."""
    now, freed = now or timezone.now(), Freed()
    for run_id in list(due_for_summary(project, now).values_list("pk", flat=True)):
        freed += Freed(summary_count=1, freed_bytes=_summarize(run_id))
    for run_id in list(due_for_thinning(project, now).values_list("pk", flat=True)):
        freed += Freed(thinned_count=1, freed_bytes=_thin(run_id))
    if freed.freed_bytes:
        return_space()
    return freed


def apply_all() -> Freed:
    """As `apply_retention`, in all projects that have rules."""
    ruled = Project.objects.filter(keep_full_days__isnull=False).order_by("pk")
    return sum((apply_retention(project) for project in ruled), Freed())


def _dropped(runs: QuerySet[Run]) -> tuple[QuerySet[MetricPoint], QuerySet[RowBlock]]:
    """All points; of rows all but each stream's last stretch, which says how many there were."""
    ids = runs.order_by().values("pk")
    later = RowBlock.objects.filter(
        run=OuterRef("run"), stream=OuterRef("stream"), ordinal__gt=OuterRef("ordinal")
    )
    return (
        MetricPoint.objects.filter(run__in=ids).order_by(),
        RowBlock.objects.filter(Exists(later), run__in=ids).order_by(),
    )


def _size(rows: "QuerySet[MetricPoint] | QuerySet[RowBlock]") -> int:
    return rows.aggregate(size=Sum(Length("data")))["size"] or 0


def _lock_ended(run_id: int, resolution: Resolution) -> bool:
    """Mark it before anything goes. False where it goes on, or is in the trash."""
    runs = Run.objects.select_for_update().exclude(status=RunStatus.RUNNING).filter(pk=run_id)
    run = runs.only("pk", "metadata").first()
    if run is None:
        return False
    said = run.metadata.get("thinned_on") or timezone.now().date().isoformat()
    metadata = run.metadata | {"thinned_on": said}
    Run.objects.filter(pk=run_id).update(resolution=resolution, metadata=metadata)
    revise_run(run_id, is_alive=False)  # whoever has kept a chart draws it anew
    return True


@transaction.atomic
def _summarize(run_id: int) -> int:
    """One statement for each table, however many points: none of them is read."""
    if not _lock_ended(run_id, Resolution.SUMMARY):
        return 0
    freed_bytes = 0
    for rows in _dropped(Run.objects.filter(pk=run_id)):
        freed_bytes += _size(rows)
        rows.delete()
    return freed_bytes


def _thin(run_id: int) -> int:
    sums = (
        MetricPoint.objects.filter(run=run_id).order_by().values("metric").annotate(n=Sum("count"))
    )
    long = list(sums.filter(n__gt=KEPT_POINTS).values_list("metric", flat=True))
    pieces = range(0, len(long), METRICS_AT_ONCE)
    return sum(_thin_metrics(run_id, long[start : start + METRICS_AT_ONCE]) for start in pieces)


@transaction.atomic
def _thin_metrics(run_id: int, metric_ids: list[int]) -> int:
    if not _lock_ended(run_id, Resolution.THINNED):
        return 0
    points = MetricPoint.objects.filter(metric__in=metric_ids)
    before = _size(points.order_by())
    newest = dict(points.order_by().values_list("metric").annotate(Max("revision")))
    for metric_id, stretches in points.stretches():
        columns = thin_stretches(stretches)
        MetricPoint.objects.filter(metric=metric_id).delete()
        MetricPoint.objects.create(
            run_id=run_id,
            metric_id=metric_id,
            revision=newest[metric_id],
            ordinal=0,
            count=len(columns),
            step_min=columns.steps.min(),
            step_max=columns.steps.max(),
            data=encode_packed(columns),
        )
    return before - _size(points.order_by())


def thin_stretches(stretches: list[Stretch]) -> Columns:
    """KEPT_POINTS of the points at most, in order of arrival: all that a summary tells among them."""
    parts = list(in_portions(stretches, PART_POINTS, attrgetter("size")))
    room = KEPT_POINTS if len(parts) == 1 else 4 * KEPT_POINTS
    columns = Columns.join([_thin_columns(join_stretches(part), room) for part in parts])
    return _thin_columns(columns, KEPT_POINTS)


def _thin_columns(columns: Columns, room: int) -> Columns:
    """With the newest of the greatest steps: that is the series' last value."""
    places = kept_places(columns.values, room - 1)
    if places is None:
        return columns
    last = len(columns) - 1 - int(np.argmax(columns.steps[::-1]))
    return columns[np.union1d(places, [last])]
