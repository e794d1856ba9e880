"""CSV and Parquet files, as runs and strands: a file is a run, or a column says whose row it is."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from runyard.importing.cleaning import clean_map
from runyard.importing.foreign import give_up, show, start_of, status_of, walk_files
from runyard.importing.source import (
    FoundRun,
    Options,
    Problem,
    Record,
    Strand,
    events,
    fingerprint,
)
from runyard.importing.table_columns import Columns, Wanted, find_columns, read_time
from runyard.importing.table_files import PARQUET, Complain, Row, Table, open_table, suffix_of
from runyard.importing.table_rows import Encoder, Spool

FORMAT = "table"
LOOKED_AT = 100  # rows, before it is clear what the columns hold
PLAIN = {"metrics", "progress", "history", "results", "log"}  # named after their directory instead
MAX_RUNS = 10_000


def recognise(path: Path) -> bool:
    return next(_table_files(path), None) is not None


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
        self._options = options
        self._wanted = Wanted(options.step, options.run)
        self._parts: dict[str, Part] = {}  # by the run's identity

    def find(self) -> Iterator[FoundRun]:
        for path in _table_files(self._path, self.problems):
            try:
                yield from self._find_in(path)
            except (OSError, ValueError) as error:
                self.problems.append(Problem(show(path), str(error)))

    def strands(self, run: FoundRun) -> Iterator[Strand]:
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
        columns = find_columns(table.names, first_rows, self._wanted, complain)
        if path != self._path and max(columns.step, columns.time) < 0:
            return complain("no column for steps or times", is_loss=False)
        changed_us = round(path.stat().st_mtime * 1e6)
        mark = fingerprint(table.names, first_rows[0])
        for name, key, rows in self._split(table, columns, complain):
            part = Part(table, columns, key, rows, changed_us)
            yield self._describe(path, name, mark, part)

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
        *folders, file_name = path.relative_to(self._root).parts
        stem = file_name[: -len(suffix_of(path))] or file_name
        if stem.lower() not in PLAIN or not folders:
            folders.append(stem)
        own = [*folders, name] if name else folders
        first = next(part.rows(_ignore), ())
        at = part.columns.time
        begun_us = read_time(first[at]) if 0 <= at < len(first) else None
        project = self._options.project
        start = start_of(
            "Parquet" if suffix_of(path) == PARQUET else "CSV",
            show(path),
            project or self._root.name,
            own,
            source="aspara",
            started_at=part.changed_us if begun_us is None else begun_us,
        )
        place = f"{show(path)}: {name}" if name else show(path)
        identity = f"{project} {show(path.relative_to(self._root))} {name} {mark}"
        self._parts[identity] = part
        return FoundRun(identity, FORMAT, start, place)


def _ignore(reason: str, *, is_loss: bool = True) -> None:
    """It is told when all of it is read."""


def _table_files(path: Path, problems: list[Problem] | None = None) -> Iterator[Path]:
    """Hidden directories hold environments and caches, not what people logged."""
    for file in walk_files(path, problems):
        below = file.relative_to(path).parts[:-1] if path.is_dir() else ()
        if suffix_of(file) and not any(part.startswith(".") for part in below):
            yield file
