"""CSV and Parquet files, as runs and strands.

A file is a run, or a column says whose row it is, or each row is a run.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from runyard.importing.cleaning import clean_map, clean_tags, clean_text
from runyard.importing.foreign import give_up, show, start_of, status_of, walk_files
from runyard.importing.source import (
    FoundRun,
    Options,
    Problem,
    Record,
    Strand,
    events,
    fingerprint,
    state,
)
from runyard.importing.table_columns import Columns, Wanted, find_columns, read_time
from runyard.importing.table_files import PARQUET, Complain, Row, Table, open_table, suffix_of
from runyard.importing.table_rows import Encoder, Spool
from runyard.importing.table_runs import (
    MAX_RUNS,
    RunRow,
    find_run_columns,
    has_run_rows,
    is_exported,
    read_runs,
)

FORMAT = "table"
LOOKED_AT = 100  # rows, before it is clear what the columns hold
PLAIN = {"metrics", "progress", "history", "results", "log"}  # named after their directory instead


def recognise(path: Path) -> bool:
    return next(candidates(path), None) is not None


def open_source(path: Path, options: Options) -> "TableSource":
    return TableSource(path, options)


class Part(NamedTuple):
    """The rows of one run in a file. `key`: of its columns."""

    table: Table
    columns: Columns
    key: str
    rows: Callable[[Complain], Iterator[Row]]
    changed_us: int


class TableSource:
    """A file, or the files in a directory and below that have a column for steps or times."""

    def __init__(self, path: Path, options: Options) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._root = path if path.is_dir() else path.parent
        self._is_flat = not any(file.parent != self._root for file in candidates(path))
        self._options = options
        self._wanted = Wanted(options.step, options.run, options.row, options.config)
        self._parts: dict[str, Part] = {}  # by the run's identity, as the next
        self._rows: dict[str, tuple[RunRow, int]] = {}

    def find(self) -> Iterator[FoundRun]:
        for path in candidates(self._path, self.problems):
            try:
                yield from self._find_in(path)
            except (OSError, ValueError) as error:
                self.problems.append(Problem(show(path), str(error)))

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        if run.identity in self._rows:
            yield from _row_strands(run, *self._rows.pop(run.identity), self._options.idle_s)
            return
        part = self._parts[run.identity]
        encoder = Encoder(part.table, part.columns, part.key, part.changed_us)

        def read(after: int) -> Iterator[Record]:
            encoder.begin()
            records = encoder.encode(part.rows(encoder.complain), after)
            return give_up(records, encoder.complain)

        yield Strand("rows", "rows", read)
        complain = partial(self._complain, run.place)
        if config := clean_map(encoder.constants(), "column", complain):
            yield events("config", f"config {fingerprint(config)}", ("config", config))
        for reason, is_loss in encoder.told():
            self._complain(run.place, reason, is_loss=is_loss)
        # Who exports a table is done, however young the file is; one that grows ends anew.
        yield status_of(encoder.last_us, -math.inf, mark=encoder.mark)

    def _complain(self, place: str, reason: str, *, is_loss: bool = True) -> None:
        self.problems.append(Problem(place, reason, is_loss))

    def _find_in(self, path: Path) -> Iterator[FoundRun]:
        table = open_table(path, self._options.idle_s)
        first_rows = list(islice(table.rows(_ignore), LOOKED_AT))
        complain = partial(self._complain, show(path))
        if not first_rows:
            return complain("no rows in it", is_loss=False)
        is_meant = path == self._path or bool(self._wanted.row) or is_exported(table.names)
        if is_meant and has_run_rows(table, self._wanted):
            yield from self._find_rows(path, table, complain)
            return None
        columns = find_columns(table.names, first_rows, self._wanted, complain)
        if path != self._path and max(columns.step, columns.time) < 0:
            return complain("no column for steps or times", is_loss=False)
        changed_us = round(path.stat().st_mtime * 1e6)
        mark = fingerprint(table.names, first_rows[0])
        for name, key, rows in self._split(table, columns, complain):
            part = Part(table, columns, key, rows, changed_us)
            yield self._describe(path, name, mark, part)

    def _find_rows(self, path: Path, table: Table, complain: Complain) -> Iterator[FoundRun]:
        columns = find_run_columns(table, self._wanted)
        changed_us = round(path.stat().st_mtime * 1e6)
        for row in read_runs(table, columns, complain):
            place = f"{show(path)}: {row.name}"
            said = partial(self._complain, place)
            row = row._replace(  # noqa: PLW2901 -- as the server takes it
                config=clean_map(row.config, "config", said),
                summary=clean_map(row.summary, "summary", said),
            )
            start = self._start(
                path,
                row.name,
                started_at=changed_us if row.started_us is None else row.started_us,
                config=row.config,
                tags=clean_tags(row.tags, said),
                notes=clean_text(row.notes, "the notes", said),
                environment={"row": row.about} if row.about else {},
            )
            below = show(path.relative_to(self._root_of(path)))
            identity = f"{self._options.project} {below} row {row.key}"
            self._rows[identity] = (row, changed_us)
            yield FoundRun(identity, FORMAT, start, place)

    def _split(
        self, table: Table, columns: Columns, complain: Complain
    ) -> Iterator[tuple[str, str, Callable[[Complain], Iterator[Row]]]]:
        """Each run's name, the key of its columns, and its rows."""
        if columns.run < 0:
            for key in columns.metrics:
                yield key, key, table.rows
            return
        spool = Spool(table.rows(complain), columns.run, MAX_RUNS)
        if spool.left_count:
            complain(f"{spool.left_count:,} rows without a run, or of runs beyond {MAX_RUNS:,}")
        for name in spool.names:
            yield name, "", partial(spool.rows, name)

    def _describe(self, path: Path, name: str, mark: str, part: Part) -> FoundRun:
        first = next(part.rows(_ignore), ())
        at = part.columns.time
        begun_us = read_time(first[at]) if 0 <= at < len(first) else None
        begun_us = part.changed_us if begun_us is None else begun_us
        start = self._start(path, name, started_at=begun_us)
        place = f"{show(path)}: {name}" if name else show(path)
        below = show(path.relative_to(self._root_of(path)))
        identity = f"{self._options.project} {below} {name} {mark}"
        self._parts[identity] = part
        return FoundRun(identity, FORMAT, start, place)

    def _root_of(self, path: Path) -> Path:
        """What is named after its directory is the same run whether that or the one above is imported."""
        is_lifted = self._is_flat and _stem(path).lower() in PLAIN
        return self._root.parent if is_lifted else self._root

    def _start(self, path: Path, name: str, **words: Any) -> dict[str, Any]:
        root = self._root_of(path)
        *folders, _ = path.relative_to(root).parts
        stem = _stem(path)
        if stem.lower() not in PLAIN or not folders:
            folders.append(stem)
        own = [*folders, name] if name else folders
        origin = "Parquet" if suffix_of(path) == PARQUET else "CSV"
        project = self._options.project or root.name
        return start_of(origin, show(path), project, own, source="aspara", **words)


def _stem(path: Path) -> str:
    return path.name[: -len(suffix_of(path))] or path.name


def _row_strands(run: FoundRun, row: RunRow, changed_us: int, idle_s: float) -> Iterator[Strand]:
    """Each state of a row is told once: an export of a later day may say more."""
    for key in ("tags", "notes"):
        if said := run.start.get(key):
            yield state(key, f"{key} {fingerprint(said)}", {key: said})
    for key, values in (("config", row.config), ("summary", row.summary)):
        if values:
            yield events(key, f"{key} {fingerprint(values)}", (key, values))
    last_us = row.ended_us or row.started_us or changed_us
    if row.is_open:
        yield status_of(last_us, idle_s, inferred="failed")
    else:
        yield status_of(last_us, -math.inf, row.ended_as, mark=row.key)


def _ignore(reason: str, *, is_loss: bool = True) -> None:
    """It is told when all of it is read."""


def candidates(path: Path, problems: list[Problem] | None = None) -> Iterator[Path]:
    """Hidden directories hold environments and caches, not what people logged."""
    for file in walk_files(path, problems):
        below = file.relative_to(path).parts[:-1] if path.is_dir() else ()
        if suffix_of(file) and not any(part.startswith(".") for part in below):
            yield file
