"""What lies in runs, and how much room it takes: counted by the database, never loaded."""

from dataclasses import dataclass, fields

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Length

from tracking.models import Artifact, LogLine, Metric, MetricPoint, RowBlock, Run


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

    def __add__(self, other: "Weight") -> "Weight":
        sums = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)
        }
        return Weight(**sums)


def weigh_runs(runs: QuerySet[Run]) -> Weight:
    """Five queries, whatever there is."""
    chosen = runs.order_by().values("pk")
    metrics = Metric.objects.filter(run__in=chosen).aggregate(n=Count("pk"), points=Sum("count"))
    files = files_of(runs).aggregate(n=Count("pk"), size=Sum("size_bytes"))
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


def weigh_bytes(runs: QuerySet[Run]) -> int:
    """As `total_bytes` of `weigh_runs`. Three queries."""
    chosen = runs.order_by().values("pk")
    return sum(
        rows.aggregate(size=Sum(size))["size"] or 0
        for rows, size in (
            (MetricPoint.objects.filter(run__in=chosen), Length("data")),
            (RowBlock.objects.filter(run__in=chosen), Length("data")),
            (files_of(runs), F("size_bytes")),
        )
    )


def files_of(runs: QuerySet[Run]) -> QuerySet[Artifact]:
    """Those that take room."""
    return Artifact.objects.filter(run__in=runs.order_by().values("pk"), deleted_at=None)
