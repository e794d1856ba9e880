"""Whether two stores hold the same, row by row; and what one holds, in a few bytes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tracking.domain.copying.rows import Row, Table
from tracking.domain.copying.stores import last_number, tables

NAMED = 20  # differences of a table that are named; the others are counted
STRIDE = 500  # rows between two words about how far it is


class Counting(Protocol):
    def add(self, what: str, row_count: int, byte_count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class TableSum:
    """`sha256` is over the rows in the order of their ids, the same on every database."""

    rows: int
    sha256: str


def sum_table(table: Table, alias: str, counting: Counting) -> TableSum:
    digest = hashlib.sha256()
    count = 0
    for count, row in enumerate(_counted(table, table.read(alias, after=0), counting), start=1):  # noqa: B007 -- the last one is the number of rows
        _put(digest, table.canonical(row))
    return TableSum(count, digest.hexdigest())


def compare_stores(
    source: str, target: str, given: dict[str, int], counting: Counting
) -> list[str]:
    """What differs, row by row. `given`: by table, the greatest id that the source had given."""
    differences: list[str] = []
    for table in tables():
        differences += _compare_table(table, source, target, counting)
        if last_number(target, table) < given[table.name]:
            differences.append(f"{table.name}: new rows would get numbers that were given before")
    return differences


def _compare_table(table: Table, source: str, target: str, counting: Counting) -> list[str]:
    differences: list[str] = []
    count = 0
    wanted = _counted(table, table.read(source, after=0), counting)
    for here, there in _pairs(table, wanted, table.read(target, after=0)):
        if here and there and table.canonical(here) == table.canonical(there):
            continue
        count += 1
        if count <= NAMED:
            differences.append(_describe(table, here, there))
    if count > NAMED:
        differences.append(f"{table.name}: {count - NAMED:,} more rows differ")
    return differences


def _pairs(
    table: Table, ours: Iterator[Row], theirs: Iterator[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of the same id side by side; None where one side has none."""
    here, there = next(ours, None), next(theirs, None)
    while here or there:
        order = _order(table, here, there)
        yield (here if order <= 0 else None), (there if order >= 0 else None)
        if order <= 0:
            here = next(ours, None)
        if order >= 0:
            there = next(theirs, None)


def _order(table: Table, here: Row | None, there: Row | None) -> int:
    """Below 0: only `here` is next; above: only `there`; 0: both, they are of one id."""
    if here is None or there is None:
        return 1 if here is None else -1
    return int(here[table.id_place]) - int(there[table.id_place])


def _describe(table: Table, here: Row | None, there: Row | None) -> str:
    if here and there:
        return f"{table.name} {here[table.id_place]} differs in {', '.join(table.differing(here, there))}"
    if here:
        return f"{table.name} {here[table.id_place]} is missing in the copy"
    return f"{table.name} {there[table.id_place] if there else '?'} is only in the copy"


def _counted(table: Table, rows: Iterator[Row], counting: Counting) -> Iterator[Row]:
    row_count = byte_count = 0
    for row in rows:
        row_count += 1
        byte_count += table.blob_bytes(row)
        if row_count == STRIDE:
            counting.add(table.name, row_count, byte_count)
            row_count = byte_count = 0
        yield row
    counting.add(table.name, row_count, byte_count)


def _put(digest: "hashlib._Hash", row: bytes) -> None:
    digest.update(len(row).to_bytes(8, "big"))
    digest.update(row)
