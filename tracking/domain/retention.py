"""How long the points of a project's runs are kept whole, then thinned, until summaries are left.

Days are counted from the end of a run. One that has not ended, or has the tag PINNED, keeps all. A
thinned series keeps KEPT_POINTS of its points, picked as charts pick them, and with them its first,
last, lowest and highest; `Metric` says still what was logged. Thinned points take the first
ordinals; the next point of a run that goes on has the ordinal it would have had. Files and log lines
stay.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce, Length
from django.utils import timezone

from tracking.domain import locks
from tracking.domain.downsample import kept_places
from tracking.domain.json_values import HasTag
from tracking.domain.portions import in_portions
from tracking.domain.runs import revise_run
from tracking.domain.space import return_space
from tracking.enums import Resolution, RunStatus
from tracking.errors import InvalidInput
from tracking.models import MetricPoint, Project, RowBlock, Run
from tracking.points import (
    Columns,
    MetricPointQuerySet,
    Stretch,
    encode_packed,
    join_stretches,
)

KEPT_POINTS = 1_000  # as many as a chart shows
PART_POINTS = 1_000_000  # of a series, that are in memory at once: 24 MB
PINNED = "pinned"
MAX_DAYS = 36_500
COST_AT_ONCE = 2_000_000  # points and stretches of them, in one transaction: about 0.2 s
METRIC_COST, STRETCH_COST = 5_000, 200  # a series and a stretch take as long as so many points


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


def check_retention(*, keep_full_days: int | None, keep_thinned_days: int | None) -> None:
    """Raises: InvalidInput."""
    given = {"keep_full_days": keep_full_days, "keep_thinned_days": keep_thinned_days}
    for field, days in given.items():
        if days is not None and not 0 <= days <= MAX_DAYS:
            raise InvalidInput(f"A number of days from 0 to {MAX_DAYS:,}, or none.", field=field)
    if keep_full_days is None and keep_thinned_days is not None:
        raise InvalidInput("What is never thinned needs no days for it.", field="keep_thinned_days")


def set_retention(
    project: Project, *, keep_full_days: int | None, keep_thinned_days: int | None
) -> None:
    """None: for ever. The thinned days follow the full ones. Raises: InvalidInput."""
    check_retention(keep_full_days=keep_full_days, keep_thinned_days=keep_thinned_days)
    project.keep_full_days, project.keep_thinned_days = keep_full_days, keep_thinned_days
    project.save(update_fields=["keep_full_days", "keep_thinned_days", "updated_at"])


def due_for_thinning(project: Project, now: datetime) -> QuerySet[Run]:
    """Ended long enough ago, with more points than are kept; not those whose points go altogether."""
    points = MetricPoint.objects.filter(run=OuterRef("pk")).order_by().values("metric")
    long = points.annotate(n=Sum("count")).filter(n__gt=KEPT_POINTS)
    outlived = _outlived(project, Resolution.THINNED, now).exclude(resolution=Resolution.SUMMARY)
    summarized = due_for_summary(project, now).order_by().values("pk")
    return outlived.filter(Exists(long)).exclude(pk__in=summarized)


def due_for_summary(project: Project, now: datetime) -> QuerySet[Run]:
    points = MetricPoint.objects.filter(run=OuterRef("pk"))
    return _outlived(project, Resolution.SUMMARY, now).filter(Exists(points))


def _outlived(project: Project, stage: Resolution, now: datetime) -> QuerySet[Run]:
    """Ended, and out of the days before the stage."""
    full, thinned = project.keep_full_days, project.keep_thinned_days
    days = (
        full if stage == Resolution.THINNED or full is None or thinned is None else full + thinned
    )
    if days is None or (stage == Resolution.SUMMARY and thinned is None):
        return project.runs.none()
    ended = project.runs.exclude(status=RunStatus.RUNNING).exclude(HasTag(PINNED))
    until = now - timedelta(days=days)
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
    dropped = _size(
        MetricPoint.objects.filter(run__in=summarized.order_by().values("pk")).order_by()
    )
    dropped += _size(_older_rows(summarized))
    return Freed(
        thinned_count=thinned.count(),
        summary_count=summarized.count(),
        freed_bytes=spared + dropped,
    )


def apply_retention(project: Project, *, now: datetime | None = None) -> Freed:
    """Thin and drop what is due, run by run, in short transactions. Doing it again changes nothing."""
    now, freed = now or timezone.now(), Freed()
    for run_id in list(due_for_summary(project, now).values_list("pk", flat=True)):
        freed += _apply(_Due(project.pk, run_id, Resolution.SUMMARY, now))
    for run_id in list(due_for_thinning(project, now).values_list("pk", flat=True)):
        freed += _apply(_Due(project.pk, run_id, Resolution.THINNED, now))
    if freed.freed_bytes:
        return_space()
    return freed


def apply_all() -> Freed:
    """As `apply_retention`, in all projects that have rules."""
    ruled = Project.objects.filter(keep_full_days__isnull=False).order_by("pk")
    return sum((apply_retention(project) for project in ruled), Freed())


def _older_rows(runs: QuerySet[Run]) -> QuerySet[RowBlock]:
    """All but each stream's last stretch, which says how many rows there were."""
    later = RowBlock.objects.filter(
        run=OuterRef("run"), stream=OuterRef("stream"), ordinal__gt=OuterRef("ordinal")
    )
    return RowBlock.objects.filter(Exists(later), run__in=runs.order_by().values("pk")).order_by()


def _size(rows: "QuerySet[MetricPoint] | QuerySet[RowBlock]") -> int:
    return rows.aggregate(size=Sum(Length("data")))["size"] or 0


class _Due(NamedTuple):
    project_id: int
    run_id: int
    stage: Resolution
    now: datetime

    def mark(self) -> bool:
        """Before anything goes, under the run's lock. False where it is not due any more: it goes
        on, is pinned or in the trash, or the rule is another one now."""
        run = Run.objects.select_for_update().filter(pk=self.run_id).only("pk", "metadata").first()
        project = Project.objects.filter(pk=self.project_id).first()
        outlived = project and _outlived(project, self.stage, self.now).filter(pk=self.run_id)
        if run is None or not outlived:
            return False
        said = run.metadata.get("thinned_on") or timezone.now().date().isoformat()
        metadata = run.metadata | {"thinned_on": said}
        Run.objects.filter(pk=run.pk).update(resolution=self.stage, metadata=metadata)
        revise_run(run.pk, is_alive=False)  # whoever has kept a chart draws it anew
        return True


def _apply(due: _Due) -> Freed:
    """Some series in each transaction: nobody waits long for it, and each is whole or short."""
    is_thinned, freed = due.stage == Resolution.THINNED, Freed()
    if not is_thinned:
        freed += _step(due, _drop_rows, [])
    for metric_ids in _portions(due.run_id, longer_than=KEPT_POINTS if is_thinned else 0):
        freed += _step(due, _thin if is_thinned else _drop, metric_ids)
    if freed == Freed():
        return freed
    return replace(freed, thinned_count=int(is_thinned), summary_count=int(not is_thinned))


@transaction.atomic
def _step(due: _Due, shorten: Callable[[int, list[int]], int], metric_ids: list[int]) -> Freed:
    return Freed(freed_bytes=shorten(due.run_id, metric_ids)) if due.mark() else Freed()


def _portions(run_id: int, longer_than: int) -> Iterator[list[int]]:
    """Metrics with so many points, as many at a time as COST_AT_ONCE allows."""
    points = MetricPoint.objects.filter(run=run_id).order_by("metric").values("metric")
    sums = points.annotate(
        n=Sum("count"), cost=Sum("count") + Count("pk") * STRETCH_COST + METRIC_COST
    )
    long = list(sums.filter(n__gt=longer_than).values("metric", "cost"))
    for portion in in_portions(long, COST_AT_ONCE, itemgetter("cost")):
        yield [one["metric"] for one in portion]


def _points_of(run_id: int, metric_ids: list[int]) -> MetricPointQuerySet[MetricPoint]:
    """SQLite, told the run as well, would read all stretches of it."""
    points = MetricPoint.objects.filter(metric__in=metric_ids)
    return points.filter(run=run_id) if locks.is_shared() else points


def _drop_rows(run_id: int, _: list[int]) -> int:
    rows = _older_rows(Run.objects.filter(pk=run_id))
    size = _size(rows)
    rows.delete()
    return size


def _drop(run_id: int, metric_ids: list[int]) -> int:
    points = _points_of(run_id, metric_ids).order_by()
    size = _size(points)
    points.delete()
    return size


def _thin(run_id: int, metric_ids: list[int]) -> int:
    points = _points_of(run_id, metric_ids)
    newest = dict(points.order_by().values_list("metric").annotate(Max("revision")))
    thinned = [
        _as_stretch(run_id, metric_id, newest[metric_id], thin_stretches(stretches))
        for metric_id, stretches in points.stretches()
    ]
    freed_bytes = _drop(run_id, metric_ids) - sum(len(one.data) for one in thinned)
    MetricPoint.objects.bulk_create(thinned)
    return freed_bytes


def _as_stretch(run_id: int, metric_id: int, revision: int, columns: Columns) -> MetricPoint:
    return MetricPoint(
        run_id=run_id,
        metric_id=metric_id,
        revision=revision,
        ordinal=0,
        count=len(columns),
        step_min=columns.steps.min(),
        step_max=columns.steps.max(),
        data=encode_packed(columns),
    )


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
