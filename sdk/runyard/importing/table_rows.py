"""Rows of a table as records: one for each row with numbers in it."""

import shutil
import sqlite3
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgpack

from runyard.importing.source import Record
from runyard.importing.table_columns import Columns, is_blank, read_number, read_step, read_time
from runyard.importing.table_files import Cell, Complain, Row, Table
from runyard.records import MAX_METRICS, Lost, encode_points
from runyard.values import check_metric_name

SHOWN_CHARS = 100
ABSENT = object()


class Encoder:
    """`last_us`: when the last row was logged. It knows what was left out once all is read."""

    def __init__(self, table: Table, columns: Columns, key: str, changed_us: int) -> None:
        self._columns = columns
        self._metrics = columns.metrics[key]
        self._has_comma = table.is_decimal_comma
        self._changed_us = changed_us
        self.begin()

    def begin(self) -> None:
        self.last_us = self._changed_us
        self._row_count = 0
        self._reasons: dict[str, bool] = {}
        self._left: Counter[str] = Counter()
        self._texts: dict[int, Cell | object] = {}  # of columns: what all their cells say
        self._text_counts: Counter[int] = Counter()
        self._number_places: set[int] = set()
        self._names: dict[str, bool] = {}
        self._usual: tuple[tuple[str, ...], dict[int, str]] = ((), self._metrics)
        self._pick: Callable[[Row], Iterable[Any]] = lambda _: ()

    @property
    def mark(self) -> str:
        """Of the end, which is that of the file where the rows have no times."""
        return f"{self.last_us}" if self._columns.time >= 0 else f"{self._row_count} rows"

    def complain(self, reason: str, *, is_loss: bool = True) -> None:
        self._reasons[reason] = is_loss

    def encode(self, rows: Iterator[Row], after: int) -> Iterator[Record]:
        seq = 1
        make = self._point if self._columns.name >= 0 else self._points
        for row in rows:
            if not row:
                continue
            step = self._step(row)
            self._row_count += 1
            if step is None:
                self._left["rows without a whole number for the step"] += 1
                continue
            record = make(row, step)
            if record is not None:
                seq += 1
                if seq > after:
                    yield record

    def _step(self, row: Row) -> int | None:
        at = self._columns.step
        if at < 0:
            return self._row_count
        return read_step(row[at]) if at < len(row) else None

    def _time_us(self, row: Row) -> int:
        """Rows without a time have that of the one before."""
        at = self._columns.time
        if 0 <= at < len(row):
            at_us = read_time(row[at])
            self.last_us = self.last_us if at_us is None else at_us
        return self.last_us

    def _point(self, row: Row, step: int) -> Record | None:
        """Of a row that names its metric."""
        columns = self._columns
        if max(columns.name, columns.value) >= len(row):
            self._left["rows that are too short"] += 1
            return None
        name, cell = str(row[columns.name]), row[columns.value]
        value = read_number(cell, has_comma=self._has_comma)
        if value is None or not self._is_fit(name):
            if not is_blank(cell):
                self._left["rows without a number, or with a name that cannot be kept"] += 1
            return None
        return _encode((name,), [value], step, self._time_us(row))

    def _is_fit(self, name: str) -> bool:
        if name not in self._names and len(self._names) < MAX_METRICS:
            try:
                self._names[name] = bool(check_metric_name(name))
            except ValueError:
                self._names[name] = False
        return self._names.get(name, False)

    def _points(self, row: Row, step: int) -> Record | None:
        """Most rows have numbers where the first one had them: those are read in one go."""
        names, rest = self._usual
        try:
            values = list(map(float, self._pick(row)))
        except (TypeError, ValueError, OverflowError, IndexError):
            names, values, rest = (), [], self._metrics
        if rest:
            more = self._read_each(row, rest)
            names, values = (*names, *more), [*values, *more.values()]
            if self._row_count == 1 and len(names) > 1:
                self._expect([place for place, name in rest.items() if name in more])
        return _encode(names, values, step, self._time_us(row)) if names else None

    def _expect(self, places: list[int]) -> None:
        rest = {place: name for place, name in self._metrics.items() if place not in places}
        self._usual = tuple(self._metrics[place] for place in places), rest
        self._pick = itemgetter(*places)

    def _read_each(self, row: Row, metrics: dict[int, str]) -> dict[str, float]:
        values = {}
        for place, name in metrics.items():
            cell = row[place] if place < len(row) else None
            if cell is None or cell == "" or cell == self._texts.get(place, ABSENT):
                continue
            value = read_number(cell, has_comma=self._has_comma)
            if value is not None:
                values[name] = value
                self._number_places.add(place)
            elif not is_blank(cell):
                self._note_text(place, cell)
        return values

    def _note_text(self, place: int, cell: Cell) -> None:
        self._text_counts[place] += 1
        self._texts[place] = ABSENT if place in self._texts else cell

    def constants(self) -> dict[str, Cell]:
        """Columns with one text in all rows that have any."""
        return {
            self._metrics[place]: str(text)
            for place, text in self._texts.items()
            if text is not ABSENT and place not in self._number_places
        }

    def told(self) -> Iterator[tuple[str, bool]]:
        """What was left out, and whether it is a loss."""
        yield from self._reasons.items()
        for reason, count in self._left.items():
            yield f"{count:,} {reason}", True
        for place in self._text_counts:
            name = self._metrics[place][:SHOWN_CHARS]
            if place in self._number_places:
                yield f"texts among the numbers of column {name!r}", True
            elif self._texts[place] is ABSENT:
                yield f"column {name!r}: texts that differ", False


def _encode(names: tuple[str, ...], values: list[float], step: int, time_us: int) -> Record:
    try:
        return encode_points(names, values, step, time_us)
    except ValueError as error:
        return Lost(1, str(error))


class Spool:
    """Rows sorted by run, in a file of its own: a table may be larger than the memory."""

    def __init__(self, rows: Iterator[Row], run_at: int, max_runs: int) -> None:
        folder = tempfile.mkdtemp(prefix="runyard-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._path = Path(folder) / "rows.sqlite3"
        self._numbers: dict[str, int] = {}
        self.left_count = 0
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("CREATE TABLE rows (run INTEGER, cells BLOB)")
            connection.executemany(
                "INSERT INTO rows VALUES (?, ?)", self._packed(rows, run_at, max_runs)
            )
            connection.execute("CREATE INDEX by_run ON rows (run)")
            connection.commit()

    @property
    def names(self) -> list[str]:
        return list(self._numbers)

    def _packed(
        self, rows: Iterator[Row], run_at: int, max_runs: int
    ) -> Iterator[tuple[int, bytes]]:
        for row in rows:
            cell = row[run_at] if run_at < len(row) else None
            name = "" if is_blank(cell) else str(cell)
            if name not in self._numbers and (not name or len(self._numbers) >= max_runs):
                self.left_count += bool(row)
                continue
            number = self._numbers.setdefault(name, len(self._numbers))
            yield number, msgpack.packb(list(row))

    def rows(self, name: str, complain: Complain) -> Iterator[Row]:  # noqa: ARG002 -- as Table.rows
        sql = "SELECT cells FROM rows WHERE run = ? ORDER BY rowid"
        with closing(sqlite3.connect(self._path)) as connection:
            for (cells,) in connection.execute(sql, (self._numbers[name],)):
                yield msgpack.unpackb(cells)
