"""MLflow's SQLite databases, opened for reading only."""

import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from runyard.importing.foreign import show
from runyard.importing.mlflow_store import (
    ENDS,
    Metrics,
    StoredRun,
    encode_metric,
    ms_to_us,
)
from runyard.importing.source import Problem, Record
from runyard.records import Lost

MAGIC = b"SQLite format 3\0"
SUFFIXES = (".db", ".sqlite", ".sqlite3")
TABLES = {"experiments", "runs", "metrics", "params", "tags"}
NOT_RUNS = {"logged_models": "models", "trace_info": "traces"}
MAX_CELL_BYTES = 16 * 1024**2
LARGEST = sys.float_info.max  # stands for infinity: MLflow's column knows none
RUNS = """
    SELECT r.run_uuid, e.name, r.name, r.status, r.start_time, r.end_time, r.artifact_uri,
    r.lifecycle_stage, e.lifecycle_stage FROM runs r
    LEFT JOIN experiments e ON e.experiment_id = r.experiment_id ORDER BY r.start_time, r.run_uuid
"""
METRICS = """
    SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY rowid
"""
WORDS = "SELECT key, value FROM {table} WHERE run_uuid = ? ORDER BY key"
LAST = "SELECT MAX(timestamp) FROM metrics WHERE run_uuid = ?"


def find_databases(path: Path) -> list[Path]:
    """The file itself, or those in the directory."""
    try:
        found = sorted(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return []
    files = [one for one in found if one.is_file() and not one.is_symlink()]
    return [one for one in files if _is_meant(one, is_named=one == path)]


def _is_meant(path: Path, *, is_named: bool) -> bool:
    """Whether it is MLflow's, or ought to be: then it is told what is wrong with it."""
    if path.suffix not in SUFFIXES and not is_named:
        return False
    if not _why_not(path):
        return True
    return path.name.startswith("mlflow") or (is_named and path.suffix in SUFFIXES)


def _why_not(path: Path) -> str:
    """What keeps us from reading it; "" for a database of MLflow."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
        if begin != MAGIC:
            return "it is no SQLite database" if begin else "it is empty"
        with closing(_connect(path)) as connection:
            is_whole = _tables(connection) >= TABLES
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except sqlite3.Error as error:
        return f"it is damaged: {error}"
    return "" if is_whole else "it has no tables of MLflow"


def _connect(path: Path) -> sqlite3.Connection:
    """A database from somebody else may have views and functions that do anything."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    if hasattr(connection, "setlimit"):  # from Python 3.11 on
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    """Real ones: a view of that name could go on for ever."""
    sql = """SELECT name FROM sqlite_master WHERE type = 'table'
             AND sql NOT LIKE 'CREATE VIRTUAL%' AND sql NOT LIKE '%GENERATED ALWAYS%'"""
    return {name for (name,) in connection.execute(sql)}


class DatabaseStore:
    kind = "database"

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self._problems = problems

    def runs(self) -> Iterator[StoredRun]:
        if reason := _why_not(self.path):
            return self._problems.append(Problem(show(self.path), reason))
        try:
            self._tell_others()
            yield from (_describe(row) for row in self._select(RUNS))
        except (OSError, sqlite3.Error) as error:
            self._problems.append(Problem(show(self.path), f"it is damaged: {error}"))

    def _tell_others(self) -> None:
        with closing(_connect(self.path)) as connection:
            tables = _tables(connection)
        for table in NOT_RUNS.keys() & tables:
            [(count,)] = self._select(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 -- our own names
            if count:
                problem = Problem(show(self.path), f"MLflow's {NOT_RUNS[table]}", is_loss=False)
                self._problems.append(problem)

    def tags(self, run: StoredRun) -> dict[str, str]:
        return self._words("tags", run)

    def params(self, run: StoredRun) -> dict[str, str]:
        return self._words("params", run)

    def _words(self, table: str, run: StoredRun) -> dict[str, str]:
        try:
            rows = list(self._select(WORDS.format(table=table), run.id))
        except OSError as error:
            self._problems.append(Problem(f"{show(self.path)}: {run.id}", str(error)))
            return {}
        return {str(key): str(value) for key, value in rows if value is not None}

    def metrics(self, run: StoredRun) -> Iterator[Metrics]:
        yield MetricRows(self, run)

    def read_metrics(self, run: StoredRun) -> Iterator[tuple[Any, ...]]:
        return self._select(METRICS, run.id)

    def last_us(self, run: StoredRun) -> int:
        [(last_ms,)] = self._select(LAST, run.id)
        return ms_to_us(last_ms) or ms_to_us(run.started_ms) or 0

    def _select(self, sql: str, *arguments: object) -> Iterator[tuple[Any, ...]]:
        """Raises: OSError for what is wrong with the file."""
        try:
            with closing(_connect(self.path)) as connection:
                yield from connection.execute(sql, arguments)
        except sqlite3.Error as error:
            raise OSError(str(error)) from None


def _describe(row: tuple[Any, ...]) -> StoredRun:
    run_id, experiment, name, status, started_ms, ended_ms, uri, stage, stage_above = row
    return StoredRun(
        id=str(run_id),
        experiment=str(experiment or "Default"),
        name=str(name or ""),
        ended_as=ENDS.get(str(status), ""),
        started_ms=started_ms,
        ended_ms=ended_ms,
        artifact_uri=str(uri or ""),
        is_deleted="deleted" in {stage, stage_above},
    )


class MetricRows:
    """Of a run, as they were noted: rows are never changed."""

    name = "metrics"
    identity = "metrics"

    def __init__(self, store: DatabaseStore, run: StoredRun) -> None:
        self._store = store
        self._run = run

    def read(self, after: int) -> Iterator[Record]:
        default_us = ms_to_us(self._run.started_ms) or 0
        for seq, row in enumerate(self._store.read_metrics(self._run), 2):
            if seq > after:
                yield _encode(row, default_us)

    def told(self) -> list[tuple[str, bool]]:
        return []


def _encode(row: tuple[Any, ...], default_us: int) -> Record:
    name, value, at_ms, step, is_nan = row
    is_fit = isinstance(name, str) and isinstance(value, (int, float)) and isinstance(step, int)
    if not is_fit:
        return Lost(1, "not a row of MLflow's metrics")
    number = math.nan if is_nan else float(value)
    if abs(number) == LARGEST:
        number = math.copysign(math.inf, number)
    return encode_metric(name, number, step, at_ms, default_us)
