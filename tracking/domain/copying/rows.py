"""Rows of any table: read in the order of their ids, written as they are, told apart byte by byte."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from django.db import connections, models
from django.db.models import BinaryField, JSONField, Max, QuerySet, Sum
from django.db.models.functions import Length

Row = tuple[Any, ...]
ROWS_READ = 2_000  # at once, of small rows; and of those that carry points
HEAVY_ROWS_READ = 100
EXACT = 2**53  # a greater number may be written in several ways; databases change them


class Table:
    """What is known of a model's table. Its rows are tuples in the order of `fields`."""

    def __init__(self, model: type[models.Model]) -> None:
        meta = model._meta  # noqa: SLF001 -- Django's documented Model _meta API
        self.model = model
        self.name: str = meta.db_table
        self.fields = list(meta.local_concrete_fields)
        self.names: list[str] = [field.attname for field in self.fields]
        self.id_place = next(i for i, field in enumerate(self.fields) if field.primary_key)
        self.id_column = str(self.fields[self.id_place].column)
        self.blobs = self._places(BinaryField)
        self._documents = self._places(JSONField)
        self._rest = [i for i in range(len(self.fields)) if i not in self.blobs]

    def _places(self, kind: type[Any]) -> list[int]:
        return [i for i, field in enumerate(self.fields) if isinstance(field, kind)]

    def rows(self, alias: str) -> QuerySet[Any]:
        """Those of the trash too."""
        return self.model._base_manager.using(alias)  # noqa: SLF001 -- Django's documented name

    def read(self, alias: str, *, after: int) -> Iterator[Row]:
        at_once = HEAVY_ROWS_READ if self.blobs else ROWS_READ
        rows = self.rows(alias).filter(pk__gt=after).order_by("pk")
        return rows.values_list(*self.names).iterator(chunk_size=at_once)

    def greatest_id(self, alias: str) -> int:
        return int(self.rows(alias).aggregate(greatest=Max("pk"))["greatest"] or 0)

    def measure(self, alias: str) -> tuple[int, int]:
        """Rows, and bytes of points and the like in them."""
        sizes = [Sum(Length(self.names[i])) for i in self.blobs]
        found: dict[str, Any] = self.rows(alias).aggregate(n=models.Count("pk"), **_numbered(sizes))
        return found.pop("n"), sum(size or 0 for size in found.values())

    def blob_bytes(self, row: Row) -> int:
        return sum(len(row[i]) for i in self.blobs)

    # ── Writing ──────────────────────────────────────────────────────────────

    def write(self, alias: str, rows: Iterable[Row]) -> None:
        """With the ids they have. Inside a transaction of the caller's."""
        connection = connections[alias]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self.fields)
        ready = (self._prepare(connection, row) for row in rows)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                self._copy_in(cursor, f"{quote(self.name)} ({columns})", ready)
                return
            marks = ", ".join(["%s"] * len(self.fields))
            statement = f"INSERT INTO {quote(self.name)} ({columns}) VALUES ({marks})"  # noqa: S608 -- of our own models
            cursor.executemany(statement, list(ready))

    def _copy_in(self, cursor: Any, target: str, rows: Iterable[Row]) -> None:
        """Binary where there are blobs: as text they would be twice as long."""
        types: list[int] = []
        if self.blobs:
            cursor.execute(f"SELECT * FROM {target.partition(' ')[0]} LIMIT 0")  # noqa: S608 -- as above
            by_name = {column.name: column.type_code for column in cursor.description}
            types = [by_name[str(field.column)] for field in self.fields]
        form = " (FORMAT BINARY)" if types else ""
        with cursor.copy(f"COPY {target} FROM STDIN{form}") as copy:
            if types:
                copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _prepare(self, connection: Any, row: Row) -> Row:
        return tuple(
            bytes(value) if i in self.blobs else field.get_db_prep_save(value, connection)
            for i, (field, value) in enumerate(zip(self.fields, row, strict=True))
        )

    # ── Telling rows apart ───────────────────────────────────────────────────

    def canonical(self, row: Row) -> bytes:
        """The same bytes for the same row, whatever database it comes from."""
        values = [_plain(row[i]) if i in self._documents else row[i] for i in self._rest]
        blobs = [bytes(row[i]) for i in self.blobs]
        return b"".join([orjson.dumps([*values, *map(len, blobs)]), *blobs])

    def differing(self, one: Row, other: Row) -> list[str]:
        """The columns in which two rows differ."""
        return [
            name
            for i, name in enumerate(self.names)
            if self._canonical_value(i, one) != self._canonical_value(i, other)
        ]

    def _canonical_value(self, place: int, row: Row) -> Any:
        value = row[place]
        if place in self.blobs:
            return bytes(value)
        return orjson.dumps(_plain(value) if place in self._documents else value)


def _numbered(items: list[Any]) -> dict[str, Any]:
    return {f"size_{i}": item for i, item in enumerate(items)}


def _plain(document: object) -> str | None:
    """PostgreSQL sorts the keys of a map and writes numbers its own way."""
    return None if document is None else json.dumps(_normal(document), sort_keys=True)


def _normal(value: object) -> object:
    match value:
        case dict():
            return {key: _normal(item) for key, item in value.items()}
        case list():
            return [_normal(item) for item in value]
        case bool():
            return value
        case int() | float():
            return _normal_number(value)
        case _:
            return value


def _normal_number(number: float) -> object:
    if abs(number) < EXACT:
        return int(number) if number == int(number) else number
    try:
        return repr(float(number))
    except OverflowError:  # an integer beyond all floats
        return str(number)
