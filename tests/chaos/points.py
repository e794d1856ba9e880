"""What jobs log, and whether the store holds that: every step once, every value bit for bit."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from tests.chaos.values import value
from tracking.points import Columns, decode

POINTS = """
    SELECT run.key, metric.name, point.data FROM tracking_metricpoint point
    JOIN tracking_metric metric ON metric.id = point.metric_id
    JOIN tracking_run run ON run.id = metric.run_id
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.key = ? ORDER BY metric.id, point.ordinal
"""
RUNS = """
    SELECT run.key, run.status FROM tracking_run run
    JOIN tracking_project project ON project.id = run.project_id WHERE project.key = ?
"""
GAPS = """
    SELECT producer.gaps FROM tracking_producer producer
    JOIN tracking_run run ON run.id = producer.run_id
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.key = ? AND producer.gaps != '[]'
"""


def values(metric: int, steps: Iterable[int]) -> np.ndarray:
    return np.array([value(metric, step) for step in steps], np.float64)


@dataclass(slots=True)
class Tally:
    """Points that should be there, and what is amiss. `wrong`: bent, out of order, never logged."""

    count: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0

    def add(self, columns: Columns | None, metric: int, count: int) -> None:
        """Steps 0 to `count` - 1 of a metric were logged, in this order."""
        self.count += count
        if columns is None:
            self.lost += count
            return
        known, places = np.unique(columns.steps, return_index=True)
        is_ours = (known >= 0) & (known < count)
        stored = columns.values[places[is_ours]].view(np.uint64)
        expected = values(metric, known[is_ours].tolist()).view(np.uint64)
        self.lost += count - int(is_ours.sum())
        self.doubled += len(columns) - len(known)
        self.wrong += int((stored != expected).sum() + (~is_ours).sum())
        self.wrong += int((np.diff(columns.steps) < 0).sum())

    @property
    def faults(self) -> dict[str, int]:
        return {"lost": self.lost, "doubled": self.doubled, "wrong": self.wrong}


def read_points(store: Path | str, project: str) -> dict[tuple[str, str], Columns]:
    """By run and metric, as they lie in the database."""
    parts: dict[tuple[str, str], list[Columns]] = {}
    for run, metric, data in query(store, POINTS, project):
        parts.setdefault((run, metric), []).append(decode(data))
    return {name: Columns.join(part) for name, part in parts.items()}


def read_statuses(store: Path | str, project: str) -> dict[str, str]:
    return dict(query(store, RUNS, project))


def count_gaps(store: Path | str, project: str) -> int:
    """Producers that had to drop something."""
    return len(query(store, GAPS, project))


def query(store: Path | str, statement: str, *values: object) -> list[tuple]:
    """`store`: a data directory, or the URL of a PostgreSQL."""
    if isinstance(store, str):
        with psycopg.connect(store) as connection, psycopg.RawCursor(connection) as cursor:
            return cursor.execute(statement.replace("?", "$1"), values).fetchall()
    with closing(sqlite3.connect(store / "runyard.sqlite3", timeout=30)) as database:
        return database.execute(statement, values).fetchall()
