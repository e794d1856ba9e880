"""How much room projects and people take: in the database, and in the file storage."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import Length

from tracking.domain.weights import Weight, weigh_runs
from tracking.models import Artifact, Metric, MetricPoint, RowBlock, Run

SHOWN = 500  # the largest ones; the rest is of no interest to who looks for room


@dataclass(slots=True)
class Usage:
    run_count: int = 0
    point_count: int = 0
    data_bytes: int = 0  # packed points and rows, in the database
    file_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        return self.data_bytes + self.file_bytes


def usage_of_projects() -> dict[int, Usage]:
    """By project id, the largest first. Reads all points' sizes: a page of its own, not a column."""
    return {key: usage for key, usage in _usage_by("project").items() if key is not None}


def usage_of_users() -> dict[int | None, Usage]:
    """By the id of who started the runs, the largest first; None: nobody who is still there."""
    return _usage_by("created_by")


def _usage_by(owner: str) -> dict[int | None, Usage]:
    """Five queries, whatever there is."""
    usages: dict[int | None, Usage] = defaultdict(Usage)
    of_run = f"run__{owner}"
    kept = {"run__deleted_at": None}
    sums: list[tuple[str, Any, str, Any]] = [
        ("run_count", Run.objects, owner, Count("pk")),
        ("point_count", Metric.objects.filter(**kept), of_run, Sum("count")),
        ("data_bytes", MetricPoint.objects.filter(**kept), of_run, Sum(Length("data"))),
        ("data_bytes", RowBlock.objects.filter(**kept), of_run, Sum(Length("data"))),
        ("file_bytes", Artifact.objects.filter(deleted_at=None, **kept), of_run, Sum("size_bytes")),
    ]
    for name, rows, field, total in sums:
        for key, size in rows.order_by().values_list(field).annotate(size=total):
            usage = usages[key]
            setattr(usage, name, getattr(usage, name) + (size or 0))
    ranked = sorted(usages.items(), key=lambda item: -item[1].total_bytes)
    return dict(ranked[:SHOWN])


def usage_of_trash() -> Weight:
    """What emptying all trash would free."""
    return weigh_runs(Run.everything.exclude(deleted_at=None))
