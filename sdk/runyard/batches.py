"""Records as one request to the batch door: a column per quantity, no loop over points.

A stretch of rows with the same metrics is a table eight bytes wide in each cell, so a column of it
is a slice. Jobs log the same few sets of metrics over and over, so stretches are long.
"""

from array import array
from collections.abc import Mapping, Sequence
from itertools import groupby
from sys import byteorder
from typing import Any

import msgpack

from runyard.records import EVENT, Event, Lost, Row, decode

FORMAT = 1
EVENT_HEAD = bytes([EVENT]) + b"\x92"  # how the record of an event begins: a list of two follows
ARTIFACT_HEAD = EVENT_HEAD + b"\xa8artifact"


class _Series:
    """The columns of one metric, in pieces."""

    def __init__(self) -> None:
        self.count = 0
        self.pieces: dict[str, list[bytes]] = {letter: [] for letter in "svtq"}

    def add(self, count: int, **columns: bytes) -> None:
        self.count += count
        for letter, column in columns.items():
            self.pieces[letter].append(column)


def encode_batch(
    head: Mapping[str, Any], first_seq: int, records: Sequence[bytes | Lost]
) -> tuple[bytes, int]:
    """The body of a request with these records, and the number of the last one.

    `head`: project, run, producer, logged_seq, sent_at, if_taken. Source: docs/ingest.md.
    """
    rows: list[tuple[int, Row]] = []
    events: list[bytes] = []
    seq = first_seq
    for record in records:
        if isinstance(record, Lost):
            events.append(msgpack.packb([seq, "gap", _gap(seq, record)]))
            seq += record.record_count
            continue
        if record.startswith(EVENT_HEAD) and not record.startswith(ARTIFACT_HEAD):
            events.append(b"\x93" + msgpack.packb(seq) + record[2:])  # it stays packed
        elif isinstance(content := decode(record), Row):
            rows.append((seq - first_seq, content))
        else:
            events.append(msgpack.packb([seq, content.kind, _wire_payload(content)]))
        seq += 1
    span = {"format": FORMAT, "first_seq": first_seq, "last_seq": seq - 1}
    return _pack_batch({**head, **span, **_columns(rows)}, events), seq - 1


def _pack_batch(batch: Mapping[str, Any], events: Sequence[bytes]) -> bytes:
    packer = msgpack.Packer(autoreset=False)
    packer.pack_map_header(len(batch) + 1)
    for key, value in batch.items():
        packer.pack(key)
        packer.pack(value)
    packer.pack("events")
    packer.pack_array_header(len(events))
    return b"".join([packer.bytes(), *events])


def _gap(seq: int, lost: Lost) -> dict[str, Any]:
    return {
        "first_seq": seq,
        "last_seq": seq + lost.record_count - 1,
        "count": lost.record_count,
        "reason": lost.reason,
    }


def _wire_payload(event: Event) -> dict[str, Any]:
    """An artifact's record only marks its place; where its copy lies is nobody else's business."""
    told = ("name", "uid", "metadata")
    return {name: event.payload[name] for name in told if name in event.payload}


def _columns(rows: Sequence[tuple[int, Row]]) -> dict[str, Any]:
    series: dict[str, _Series] = {}
    for packed_names, stretch in groupby(_in_stretches(rows), key=lambda item: item[1].names):
        _add_stretch(series, msgpack.unpackb(packed_names), list(stretch))
    columns = {
        letter: b"".join(b"".join(one.pieces[letter]) for one in series.values())
        for letter in "svtq"
    }
    return {"keys": list(series), "n": [one.count for one in series.values()], **columns}


def _in_stretches(rows: Sequence[tuple[int, Row]]) -> Sequence[tuple[int, Row]]:
    """Rows with the same metrics side by side, unless that would turn the points of a metric about."""
    shapes = dict.fromkeys(row.names for _, row in rows)
    names = [name for shape in shapes for name in msgpack.unpackb(shape)]
    if len(shapes) < 2 or len(set(names)) < len(names):
        return rows
    order = {shape: place for place, shape in enumerate(shapes)}
    return sorted(rows, key=lambda item: order[item[1].names])


def _add_stretch(
    series: dict[str, _Series], names: list[str], stretch: Sequence[tuple[int, Row]]
) -> None:
    cells = memoryview(b"".join(row.words for _, row in stretch)).cast("Q")
    width = 2 + len(names)
    steps, times = cells[0::width].tobytes(), cells[1::width].tobytes()
    offsets = _uint32_bytes([offset for offset, _ in stretch])
    for place, name in enumerate(names, 2):
        values = cells[place::width].tobytes()
        series.setdefault(name, _Series()).add(len(stretch), s=steps, v=values, t=times, q=offsets)


def _uint32_bytes(numbers: Sequence[int]) -> bytes:
    column = array("I", numbers)
    if byteorder == "big":
        column.byteswap()
    return column.tobytes()
