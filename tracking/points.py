"""How a stretch of points lies in `MetricPoint.data`, and the queryset that reads it back.

    kind 0   b"\\0" + steps (int64 × n) + values (float64 × n) + times (int64 µs UTC × n)
    kind 1   b"\\1" + three pcodec columns in the same order, each behind its length (uint32)

All little-endian. Values come back bit for bit, NaN payloads and infinities included.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from tracking.binary import binary_cursor

RAW = 0
PACKED = 1
PACK_AT_ONCE = 4_096  # points; below that compressing costs more than it saves until the fold
PACK_LEVEL = 2  # level 8 saves 10 % of the bytes for six times the encoding time
ROWS_AT_ONCE = 500
COLUMN_TYPES = (np.dtype("<i8"), np.dtype("<f8"), np.dtype("<i8"))


class Point(NamedTuple):
    step: int
    value: float
    time_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Points of one metric in order of arrival: three arrays of one length."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    times_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "Columns":
        return Columns(self.steps[which], self.values[which], self.times_us[which])

    @staticmethod
    def join(parts: list["Columns"]) -> "Columns":
        if len(parts) == 1:
            return parts[0]
        return Columns(
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.times_us for part in parts]),
        )


class Stretch(NamedTuple):
    size: int
    data: bytes | memoryview


def encode_raw(columns: Columns) -> bytes:
    arrays = (columns.steps, columns.values, columns.times_us)
    return b"\0" + b"".join(array.tobytes() for array in arrays)


def encode_stretches(columns: Columns, bounds: Iterable[tuple[int, int]]) -> list[bytes]:
    """`encode_raw` of many slices at once; slices of bytes cost a tenth of slices of arrays.

    What is long already is packed right away.
    """
    steps, values, times = (
        array.tobytes() for array in (columns.steps, columns.values, columns.times_us)
    )
    return [
        b"\0"
        + steps[8 * start : 8 * end]
        + values[8 * start : 8 * end]
        + times[8 * start : 8 * end]
        if end - start < PACK_AT_ONCE
        else encode_packed(columns[start:end])
        for start, end in bounds
    ]


def encode_packed(columns: Columns) -> bytes:
    config = ChunkConfig(compression_level=PACK_LEVEL)
    parts = [b"\1"]
    for array in (columns.steps, columns.values, columns.times_us):
        column = standalone.simple_compress(array, config)
        parts += [len(column).to_bytes(4, "little"), column]
    return b"".join(parts)


def decode(data: bytes | memoryview) -> Columns:
    data = memoryview(data)
    if data[0] == RAW:
        count = (len(data) - 1) // 24
        starts = (1, 1 + 8 * count, 1 + 16 * count)
        columns: list[Any] = list(map(np.frombuffer, [data] * 3, COLUMN_TYPES, [count] * 3, starts))
        return Columns(*columns)
    if data[0] == PACKED:
        return Columns(*(standalone.simple_decompress(part) for part in _packed_parts(data)))
    raise ValueError(f"Unknown kind of point data: {data[0]}.")


def join_stretches(stretches: Sequence[Stretch]) -> Columns:
    """The points of consecutive stretches.

    Unpacked right into their place: a copy more would cost a third of the time of reading them.
    """
    if len(stretches) == 1:
        return decode(stretches[0].data)
    total = sum(stretch.size for stretch in stretches)
    arrays: list[Any] = [np.empty(total, dtype) for dtype in COLUMN_TYPES]
    whole = Columns(*arrays)
    start = 0
    for size, data in stretches:
        _decode_into(whole[start : start + size], memoryview(data))
        start += size
    return whole


def _decode_into(target: Columns, data: memoryview) -> None:
    columns = (target.steps, target.values, target.times_us)
    if data[0] == PACKED:
        for part, column in zip(_packed_parts(data), columns, strict=True):
            if standalone.simple_decompress_into(part, column).n_processed != len(column):
                raise ValueError("A stretch has fewer points than its row says.")
        return
    found = decode(data)
    for column, values in zip(columns, (found.steps, found.values, found.times_us), strict=True):
        column[:] = values


def _packed_parts(data: memoryview) -> Iterator[bytes]:
    start = 1
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "little")
        yield bytes(data[start + 4 : start + 4 + length])
        start += 4 + length


class MetricPointQuerySet(models.QuerySet):
    """A queryset of stretches that can hand out the points in them."""

    def stretches(self, *, are_few: bool = False) -> Iterator[tuple[int, list[Stretch]]]:
        """Metric id and stretches of one metric after the other, in order of arrival. One query.

        Nothing is kept of those that were handed out: they may be more than fit into memory, unless
        the caller knows that they `are_few`, which is faster.
        """
        rows = self.order_by("metric_id", "ordinal").values_list("metric_id", "count", "data")
        for metric_id, group in groupby(_read_rows(rows, are_few=are_few), itemgetter(0)):
            yield metric_id, [Stretch(count, data) for _, count, data in group]

    def arrays(self) -> dict[int, Columns]:
        """The points by metric id, each metric's in order of arrival. One query."""
        return {
            metric_id: join_stretches(found) for metric_id, found in self.stretches(are_few=True)
        }

    def points(self) -> Iterator[Point]:
        """Every point, one by one: for people and tests; code wants `arrays`."""
        for columns in self.arrays().values():
            rows = zip(columns.steps, columns.values, columns.times_us, strict=True)
            yield from (Point(int(step), float(value), int(time)) for step, value, time in rows)


def _read_rows(rows: models.QuerySet, *, are_few: bool) -> Iterator[tuple[Any, ...]]:
    """PostgreSQL writes bytes as text, twice as long, unless it is asked for what it has itself."""
    if connection.vendor != "postgresql":
        yield from rows.iterator(chunk_size=ROWS_AT_ONCE)
        return
    try:
        statement, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # nothing can be in it, as Django sees without asking
        return
    with binary_cursor(statement, is_held=not are_few) as cursor:
        cursor.execute(statement, parameters, binary=True)
        while found := cursor.fetchmany(ROWS_AT_ONCE):
            yield from found
