"""Rows of a stream: kept exactly as they were logged, and their numbers drawn as series.

A row is a map of anything JSON knows, NaN included. Its numeric fields are also points of the metric
`stream/field`, at the row's number in its stream. In `RowBlock.data`:

    kind 0   b"\\0" + rows, one msgpack `[time_us, fields]` after the other; more may be added
    kind 1   b"\\1" + zstd of the same
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import msgpack
import zstandard
from django.db.models import F, OuterRef, Q, Subquery, Sum

from tracking.domain.appending import append_points
from tracking.domain.batch import TIMES_US
from tracking.domain.mending import spell
from tracking.domain.metrics import find_metric_ids
from tracking.domain.row_series import TEXT, Pieces, as_points, collect_series
from tracking.domain.row_series import TIME_FIELD as TIME_FIELD  # noqa: PLC0414 -- for readers of rows
from tracking.domain.runs import revise_run
from tracking.domain.values import INT64, JSON_DEPTH, check_metric_name, clean_map, clean_text
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import NAME_LENGTH, Metric, RowBlock, Run

RAW, PACKED = b"\0", b"\1"
OPEN_BYTES = 16 * 1024  # a block below it is added to: that much is written again by each commit
FULL_BYTES = 1024**2  # a block with as much in it takes no more rows: a page unpacks whole blocks
MAX_WARNINGS = 100  # kept with a run
PLAIN = frozenset({float, int, str, bool, type(None)})  # packed as they are


class LoggedRow(NamedTuple):
    stream: str
    time_us: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """`index`: its number in the stream, from 0."""

    index: int
    time_us: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a stream's new rows stand."""

    first_index: int
    count: int


class Stream(NamedTuple):
    name: str
    row_count: int


def parse_rows(payloads: Iterable[Mapping[str, Any]], *, time_us: int) -> list[LoggedRow]:
    """Check payloads of `row` records; one without a time has `time_us`. Raises: InvalidInput."""
    streams: dict[str, str] = {}  # thousands of rows, and few names
    rows = []
    for payload in payloads:
        fields, time = payload.get("fields"), payload.get("time", time_us)
        if not isinstance(fields, dict):
            raise InvalidInput("fields must be an object.", field="fields")
        if isinstance(time, bool) or not isinstance(time, int) or time not in TIMES_US:
            raise InvalidInput("time must be UTC microseconds.", field="time")
        name = payload.get("stream", "")
        if not isinstance(name, str) or name not in streams:
            streams[name] = check_stream(name)
        rows.append(LoggedRow(streams[name], time, fields))
    return rows


def check_stream(name: object) -> str:
    """ "" is the stream without a name. Raises: InvalidInput."""
    text = clean_text(name, "stream")
    if len(text) > NAME_LENGTH or not text.isprintable():
        raise InvalidInput(
            f"The name of a stream has at most {NAME_LENGTH} printable characters.", field="stream"
        )
    return text


def append_rows(run: Run, rows: Sequence[LoggedRow]) -> dict[str, Appended]:
    """Add rows to the ends of their streams; tells where, by stream.

    A field that cannot be a series is kept in its row, and the run is warned of it. Call it inside
    a transaction. Raises: RunDeleted.
    """
    revise_run(run.pk)  # first: its row lock lets those who add to one stream take turns
    by_stream: dict[str, list[LoggedRow]] = {}
    for row in rows:
        by_stream.setdefault(row.stream, []).append(row)
    places: dict[str, Appended] = {}
    pieces: Pieces = {}
    warnings: dict[str, None] = {}
    for stream, logged in by_stream.items():
        first_index = _store(run, stream, logged)
        places[stream] = Appended(first_index, len(logged))
        collect_series(pieces, logged, first_index, warnings)
    _draw(run, pieces, warnings)
    note_warnings(run, warnings)
    return places


def list_streams(run: Run) -> list[Stream]:
    """The streams of a run, by name. One query."""
    sums = run.row_blocks.order_by("stream").values("stream").annotate(rows=Sum("count"))
    return [Stream(name, count) for name, count in sums.values_list("stream", "rows")]


def count_rows(run: Run, stream: str) -> int:
    ends = RowBlock.objects.filter(run=run, stream=stream).order_by("-ordinal")
    return ends.values_list(F("ordinal") + F("count"), flat=True).first() or 0


def read_rows(run: Run, stream: str, *, start: int = 0, limit: int) -> list[StoredRow]:
    """Rows from number `start` on, at most `limit`. One query, and no more blocks than needed."""
    if limit <= 0 or not INT64.start <= start < INT64.stop - limit:
        return []
    blocks = RowBlock.objects.filter(run=run, stream=stream)
    before = RowBlock.objects.filter(run=OuterRef("run"), stream=stream, ordinal__lte=start)
    first = Subquery(before.order_by("-ordinal").values("ordinal")[:1])
    wanted = blocks.filter(ordinal__lt=start + limit, ordinal__gte=first) | blocks.filter(
        ordinal__gt=start, ordinal__lt=start + limit
    )
    found: list[StoredRow] = []
    for ordinal, data in wanted.order_by("ordinal").values_list("ordinal", "data").iterator(50):
        rows = islice(_unpack(data), max(0, start - ordinal), start + limit - ordinal)
        found += (
            StoredRow(index, time_us, fields)
            for index, (time_us, fields) in enumerate(rows, max(start, ordinal))
        )
    return found


def read_edges(run: Run, streams: Iterable[str]) -> dict[str, tuple[StoredRow, StoredRow]]:
    """Stream → its first row and its last one. One query, at most two blocks for each."""
    others = RowBlock.objects.filter(run=run, stream=OuterRef("stream")).order_by("-ordinal")
    is_edge = Q(ordinal=0) | Q(ordinal=Subquery(others.values("ordinal")[:1]))
    blocks = RowBlock.objects.filter(is_edge, run=run, stream__in=list(streams))
    edges: dict[str, tuple[StoredRow, StoredRow]] = {}
    found = blocks.order_by("stream", "ordinal").values_list("stream", "ordinal", "data")
    for stream, ordinal, data in found.iterator(50):
        rows = [StoredRow(index, *row) for index, row in enumerate(_unpack(data), ordinal)]
        first, _ = edges.get(stream, (rows[0], rows[0]))
        edges[stream] = first, rows[-1]
    return edges


def iterate_rows(run: Run, stream: str) -> Iterator[StoredRow]:
    """All rows of a stream; memory is bounded by one block."""
    blocks = RowBlock.objects.filter(run=run, stream=stream).order_by("ordinal")
    for ordinal, data in blocks.values_list("ordinal", "data").iterator(10):
        for index, (time_us, fields) in enumerate(_unpack(data), ordinal):
            yield StoredRow(index, time_us, fields)


def describe_stream(run: Run, stream: str, words: Mapping[str, Any]) -> None:
    """What people say of a stream: `description`, `tags`, `metadata`. The first words stay."""
    streams = run.metadata.get("streams", {})
    if words and stream not in streams:
        said = {stream: clean_map(dict(words), "stream")}
        run.metadata = run.metadata | {"streams": streams | said}
        run.save(update_fields=["metadata"])


def _store(run: Run, stream: str, rows: Sequence[LoggedRow]) -> int:
    """Returns the number of the first of these rows."""
    last = RowBlock.objects.filter(run=run, stream=stream).order_by("-ordinal").first()
    first = end = last.ordinal + last.count if last else 0
    for data, count in _cut(_pack(rows)):
        if last and bytes(last.data[:1]) == RAW:
            last.data, last.count = _seal(bytes(last.data) + data), last.count + count
            last.save(update_fields=["data", "count"])
            last = None
        else:
            RowBlock.objects.create(
                run=run, stream=stream, ordinal=end, count=count, data=_seal(RAW + data)
            )
        end += count
    return first


def _cut(packed: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """What goes into a block, and how many rows it is."""
    taken: list[bytes] = []
    size = 0
    for row in packed:
        taken.append(row)
        size += len(row)
        if size >= FULL_BYTES:
            yield b"".join(taken), len(taken)
            taken, size = [], 0
    if taken:
        yield b"".join(taken), len(taken)


def _seal(data: bytes) -> bytes:
    """Compressed once it is full."""
    if len(data) < OPEN_BYTES:
        return data
    return PACKED + zstandard.ZstdCompressor(level=3).compress(data[1:])


def _pack(rows: Iterable[LoggedRow]) -> Iterator[bytes]:
    packer = msgpack.Packer(autoreset=False, unicode_errors="surrogatepass")
    for row in rows:
        if not _pack_plain(packer, row):
            packer.reset()
            fields = {str(key): _packable(value) for key, value in row.fields.items()}
            packer.pack((row.time_us, fields))
        yield packer.bytes()
        packer.reset()


def _pack_plain(packer: msgpack.Packer, row: LoggedRow) -> bool:
    """False for a row that has to be looked at value by value."""
    fields = row.fields
    if not (PLAIN.issuperset(map(type, fields.values())) and TEXT.issuperset(map(type, fields))):
        return False
    try:
        packer.pack((row.time_us, fields))
    except OverflowError:  # a number beyond 64 bits
        return False
    return True


def _packable(value: Any, depth: int = 1) -> Any:
    """What is too deep, too large or strange for msgpack becomes the text of itself."""
    if depth > JSON_DEPTH:
        return value if isinstance(value, str) else spell(value)
    if isinstance(value, dict):
        return {str(key): _packable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packable(item, depth + 1) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value


def _unpack(data: bytes | memoryview) -> Iterator[tuple[int, dict[str, Any]]]:
    content = bytes(data[1:])
    if data[:1] == PACKED:
        # One of its own: a decompressor must not be shared by threads.
        content = zstandard.ZstdDecompressor().decompress(content)
    yield from msgpack.Unpacker(
        io.BytesIO(content),
        max_buffer_size=0,  # as much as there is: one row may be longer than a whole block
        strict_map_key=False,
        unicode_errors="surrogatepass",
    )


def _draw(run: Run, pieces: Pieces, warnings: dict[str, None]) -> None:
    drawable = {name: one for name, one in pieces.items() if _is_drawable(name, warnings)}
    try:
        find_metric_ids(run.pk, list(drawable))
    except LimitExceeded as error:
        warnings[str(error)] = None
        stored = Metric.objects.filter(run=run, name__in=list(drawable))
        known = set(stored.values_list("name", flat=True))
        drawable = {name: one for name, one in drawable.items() if name in known}
    if drawable:
        append_points(run.pk, as_points(drawable))


def _is_drawable(name: str, warnings: dict[str, None]) -> bool:
    try:
        check_metric_name(name)
    except InvalidInput as error:
        warnings[str(error)] = None
        return False
    return True


def note_warnings(run: Run, warnings: Iterable[str]) -> None:
    """Keep with the run what could not be drawn."""
    known = run.metadata.get("warnings", [])
    if news := [text for text in warnings if text not in known][: MAX_WARNINGS - len(known)]:
        run.metadata = run.metadata | {"warnings": known + news}
        run.save(update_fields=["metadata"])
