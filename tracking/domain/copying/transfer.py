"""Copying a store into an empty one, and going on with it after a death in the middle.

Rows keep their ids and are written in that order, a portion in each transaction: where to go on is
the greatest id that is there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError, transaction

from tracking.domain.copying.comparing import compare_stores
from tracking.domain.copying.rows import Row, Table
from tracking.domain.copying.stores import (
    OF_MIGRATE,
    STATE,
    execute,
    held_still,
    is_half_copied,
    last_number,
    name_store,
    require_current,
    require_empty,
    set_last_number,
    tables,
)
from tracking.errors import StoreNotFit

PORTION_ROWS = 5_000  # in one transaction
PORTION_BYTES = 8 * 1024**2  # as above, of points


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is. `done` and `total` are bytes of points and the like, and a bit per row."""

    doing: str
    what: str
    done: int
    total: int
    row_count: int
    byte_count: int


Tell = Callable[[Progress], None]
ROW_WORTH = 200  # bytes: what a row costs beside its points


class Meter:
    """Adds up what was done, and tells it."""

    def __init__(self, doing: str, total: int, tell: Tell) -> None:
        self._doing, self._total, self._tell = doing, total, tell
        self.row_count = self.byte_count = self._skipped = 0

    def skip(self, row_count: int, byte_count: int) -> None:
        """Done by an earlier attempt."""
        self._total -= row_count * ROW_WORTH + byte_count

    def add(self, what: str, row_count: int, byte_count: int) -> None:
        self.row_count += row_count
        self.byte_count += byte_count
        done = self.row_count * ROW_WORTH + self.byte_count
        self._tell(Progress(self._doing, what, done, self._total, self.row_count, self.byte_count))


def copy_store(source: str, target: str, tell: Tell) -> list[str]:
    """Copy all rows from one database alias to another, and compare them; returns what differs.

    Both must be migrated, and `target` empty, or left half copied from the same source. Nobody may
    write to either meanwhile. Raises: StoreNotFit.
    """
    require_current(source)
    require_current(target)
    _begin(target, name_store(source))
    with held_still(source):
        sizes = {table: table.measure(source) for table in tables()}
        total = sum(rows * ROW_WORTH + size for rows, size in sizes.values())
        # PostgreSQL goes on counting, whatever stands still: at least as far as in the rows.
        given = {table.name: last_number(source, table) for table in tables()}
        meter = Meter("copied", total, tell)
        for table in tables():
            _copy_table(table, source, target, meter)
            with transaction.atomic(using=target):
                set_last_number(target, table, given[table.name])
        differences = compare_stores(source, target, given, Meter("compared", total, tell))
    if not differences:
        execute(target, f"DROP TABLE {STATE}")
    return differences


def _begin(target: str, source_name: str) -> None:
    """Note whose copy this is going to be; what `migrate` wrote there gives way."""
    if is_half_copied(target):
        known = execute(target, f"SELECT source FROM {STATE}")  # noqa: S608 -- our own table
        if known != [(source_name,)]:
            raise StoreNotFit(
                f"{name_store(target)} holds a part of {known[0][0]}: go on from there,"
                " or begin with a new database."
            )
        return
    require_empty(target)
    with transaction.atomic(using=target):
        execute(target, f"CREATE TABLE {STATE} (source text NOT NULL)")
        execute(target, f"INSERT INTO {STATE} VALUES (%s)", (source_name,))  # noqa: S608 -- our own table
        for name in OF_MIGRATE:
            execute(target, f"DELETE FROM {name}")  # noqa: S608 -- as above


def _copy_table(table: Table, source: str, target: str, meter: Meter) -> None:
    last = table.greatest_id(target)
    if last:
        meter.skip(*table.measure(target))
    for rows in _portions(table, table.read(source, after=last)):
        try:
            with transaction.atomic(using=target):
                table.write(target, rows)
        except (DatabaseError, ValueError) as error:
            raise StoreNotFit(_blame(table, target, rows, error)) from error
        meter.add(table.name, len(rows), sum(map(table.blob_bytes, rows)))


def _portions(table: Table, rows: Iterable[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    size = 0
    for row in rows:
        portion.append(row)
        size += table.blob_bytes(row)
        if len(portion) >= PORTION_ROWS or size >= PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _blame(table: Table, target: str, rows: list[Row], error: Exception) -> str:
    """Which row it was. Nothing of the portion has been written."""
    for row in rows:
        try:
            with transaction.atomic(using=target):
                table.write(target, [row])
                transaction.set_rollback(True, using=target)
        except (DatabaseError, ValueError) as cause:
            reason = str(cause).partition("\n")[0]
            return f"{table.name} {row[table.id_place]} cannot be written: {reason}"
    return f"{table.name}: {error}"
