"""A record on disk: `<length u32><crc32 u32><payload>`, all little-endian.

A payload is one logged row of points, `<1><n u32><step i64><time i64><value f64 × n><names>`, or an
event, `<2>` and `[kind, payload]`. Names and events are msgpack. In a row everything is eight bytes
wide, so that a stretch of rows with the same names becomes columns by slicing, without a loop.
"""

from collections.abc import Callable, Iterator, Sequence
from struct import Struct, error
from typing import Any, NamedTuple
from zlib import crc32

import msgpack

from runyard.values import check_metric_name

POINTS, EVENT = 1, 2
FRAME = Struct("<II")
ROW_HEAD = Struct("<BI")
WORD_BYTES = 8
MAX_METRICS = 10_000  # in one row; what the server allows in a run
MAX_RECORD_BYTES = 8 * 1024**2  # half of what the server takes in one request
MAX_SHAPES = 1_000  # a job that invents names all the time must not fill the memory


class Lost(NamedTuple):
    """Stands for records that are no longer there."""

    record_count: int
    reason: str


class Row(NamedTuple):
    """A decoded row of points: `words` is step, time and values as bytes, `names` still packed."""

    words: bytes
    names: bytes


class Event(NamedTuple):
    kind: str
    payload: dict[str, Any]


_shapes: dict[tuple[str, ...], tuple[Callable[..., bytes], bytes]] = {}


def encode_points(
    names: tuple[str, ...], values: Sequence[float], step: int, time_us: int
) -> bytes:
    """The framed record of one row. Raises: ValueError for a bad name."""
    shape = _shapes.get(names)
    if shape is None:
        shape = _make_shape(names)
    pack, packed_names = shape
    try:
        payload = pack(POINTS, len(values), step, time_us, *values) + packed_names
    except error:
        raise ValueError(f"step must fit into 64 bits, not {step}.") from None
    return FRAME.pack(len(payload), crc32(payload)) + payload


def _make_shape(names: tuple[str, ...]) -> tuple[Callable[..., bytes], bytes]:
    """What all rows with these names have in common; names are checked here, once."""
    if len(names) > MAX_METRICS:
        raise ValueError(f"{len(names)} metrics in one row; at most {MAX_METRICS} are allowed.")
    for name in names:
        check_metric_name(name)
    if len(_shapes) >= MAX_SHAPES:
        _shapes.clear()
    packed_names = msgpack.packb(list(names))
    _shapes[names] = shape = (Struct(f"<BIqq{len(names)}d").pack, packed_names)
    return shape


def encode_event(kind: str, payload: dict[str, Any]) -> bytes:
    """The framed record of an event. Raises: ValueError when it is too large to be sent."""
    body: bytes = bytes([EVENT]) + msgpack.packb([kind, payload])
    if len(body) > MAX_RECORD_BYTES:
        raise ValueError(
            f"This {kind} takes {len(body)} bytes; at most {MAX_RECORD_BYTES} are allowed. "
            "Log it as an artifact."
        )
    return FRAME.pack(len(body), crc32(body)) + body


def decode(payload: bytes) -> Row | Event:
    """A payload whose checksum was right."""
    if payload[0] == POINTS:
        _, count = ROW_HEAD.unpack_from(payload)
        end = ROW_HEAD.size + (2 + count) * WORD_BYTES
        return Row(payload[ROW_HEAD.size : end], payload[end:])
    return Event(*msgpack.unpackb(payload[1:], strict_map_key=False))


def describe(payload: bytes) -> dict[str, Any]:
    """A record as people read it."""
    content = decode(payload)
    if isinstance(content, Event):
        return {content.kind: content.payload}
    names = msgpack.unpackb(content.names)
    step, time_us, *values = Struct(f"<qq{len(names)}d").unpack(content.words)
    return {"step": step, "time_us": time_us, "metrics": dict(zip(names, values, strict=True))}


def split_frames(
    data: bytes, *, max_records: int, max_bytes: int
) -> tuple[list[bytes | Lost], int]:
    """The whole records at the front of `data`, and how many bytes they take.

    A record whose checksum is wrong is lost when a whole one follows it; otherwise it is the torn
    tail of a process that died, and the end. At least one record is given, however large.
    """
    records: list[bytes | Lost] = []
    at = 0
    for payload, end in _frames(data):
        if len(records) == max_records or (records and end > max_bytes):
            break
        if payload is None and not _whole_frame_at(data, end):
            break
        records.append(Lost(1, "damaged on disk") if payload is None else payload)
        at = end
    return records, at


def _frames(data: bytes) -> Iterator[tuple[bytes | None, int]]:
    """Each payload (None: damaged) with the place where it ends."""
    at, size = 0, len(data)
    while at + FRAME.size < size:
        length, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        at = start + length
        if not length or at > size:  # no record is empty: a file system leaves zeros behind
            return
        payload = data[start:at]
        yield (payload if crc32(payload) == checksum else None), at


def _whole_frame_at(data: bytes, at: int) -> bool:
    following = next(_frames(data[at:]), None)
    return following is not None and following[0] is not None
