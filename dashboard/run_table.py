"""The run table: each run with the last values of the metrics that its page has in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from dashboard.panels import grid_order, metrics_of
from tracking.models import Metric, Run

METRIC_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class RunRow:
    run: Run
    metrics: list[Metric | None]  # one for each metric column


@dataclass(frozen=True, slots=True)
class RunTable:
    metric_names: list[str]
    rows: list[RunRow]


def tabulate_runs(runs: Sequence[Run]) -> RunTable:
    """The metrics most of these runs have become columns. Two queries."""
    counts = metrics_of(runs).order_by().values("name").annotate(run_count=Count("pk"))
    ranked = sorted(counts, key=lambda row: (-row["run_count"], *grid_order(row["name"])))
    names = [row["name"] for row in ranked[:METRIC_COLUMNS]]
    found = {(m.run_id, m.name): m for m in metrics_of(runs).filter(name__in=names)}
    rows = [RunRow(run, [found.get((run.pk, name)) for name in names]) for run in runs]
    return RunTable(names, rows)
