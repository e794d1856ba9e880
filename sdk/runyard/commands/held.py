"""What this machine still holds of a run: spools, read beside the job that may be writing them."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgpack

from runyard import locks
from runyard.orphans import spool_paths
from runyard.reader import Reader
from runyard.records import Event, Lost, Row, decode
from runyard.spool import Meta, Spool, find_end, read_meta

RECORDS_AT_ONCE, BYTES_AT_ONCE = 10_000, 8 * 1024**2
NO_LOCK = -1


class Point(NamedTuple):
    """`bits`: of the value, which NaN has as well. The server tells times in milliseconds."""

    step: int
    bits: bytes
    time_ms: int


class Held(NamedTuple):
    """Of one spool: its records, and what those hold that the server says it has stored.

    `damaged_count`: records among them that cannot be read any more.
    """

    producer: str
    first_seq: int
    last_seq: int
    damaged_count: int
    points: dict[str, Counter[Point]]
    files: dict[str, str]  # path and name → SHA-256, "" where it was not noted
    dead_letter_count: int


def find_spools(root: Path, project: str, run: str) -> Iterator[tuple[Path, Meta]]:
    for path in spool_paths(root):
        meta = read_meta(path)
        if meta and (project, run) in {
            (meta.project, meta.key),
            (meta.server_project or meta.project, meta.server_key or meta.key),
        }:
            yield path, meta


def read_held(path: Path, meta: Meta, stored_seq: int) -> Held:
    """`stored_seq`: up to where the server has stored this producer's records.

    Raises: FileNotFoundError where the job has just removed its spool, because all has arrived.
    """
    spool = Spool(path, meta, NO_LOCK)
    spool.segments, spool.mark = find_end(path)
    first = spool.segments[0] if spool.segments else spool.mark.seq + 1
    held = Held(meta.producer, first, spool.mark.seq, 0, {}, {}, _count_letters(path, meta))
    damaged_count = 0
    for record in _records(spool, first, min(stored_seq, spool.mark.seq)):
        if isinstance(record, Lost):
            damaged_count += record.record_count
        else:
            _take(record, held)
    if not path.exists():
        raise FileNotFoundError(path)
    if spool.segments and not spool.segment_path(first).exists():
        return read_held(path, meta, stored_seq)  # the job has let go of it under our eyes
    return held._replace(damaged_count=damaged_count)


def is_alive(path: Path) -> bool:
    """Whether a process writes or delivers the spool."""
    lock = locks.hold_lock(path / "lock")
    if lock is None:
        return True
    locks.let_go(lock)
    return False


def _records(spool: Spool, seq: int, last_seq: int) -> Iterator[bytes | Lost]:
    reader = Reader(spool)
    while seq <= last_seq:
        some = reader.read(
            seq, max_records=min(RECORDS_AT_ONCE, last_seq - seq + 1), max_bytes=BYTES_AT_ONCE
        )
        if not some:
            return
        yield from some
        seq += sum(one.record_count if isinstance(one, Lost) else 1 for one in some)


def _take(record: bytes, held: Held) -> None:
    content = decode(record)
    if isinstance(content, Row):
        names = msgpack.unpackb(content.names)
        step, time_us, *values = Struct(f"<qq{len(names)}d").unpack(content.words)
        for name, value in zip(names, values, strict=True):
            point = Point(step, bits_of(value), time_us // 1000)
            held.points.setdefault(name, Counter())[point] += 1
    elif content.kind == "artifact":
        _take_file(content, held)


def _take_file(event: Event, held: Held) -> None:
    """The last one of a name is the one that counts."""
    folders = str(event.payload.get("path") or "").split("/")
    name = "/".join(filter(None, [*folders, event.payload["name"]]))
    held.files[name] = event.payload.get("checksum", "")


def bits_of(value: float, pack: Struct = Struct("<d")) -> bytes:  # noqa: B008 -- a constant
    return b"nan" if value != value else pack.pack(value)  # noqa: PLR0124 -- as NaN is known


def _count_letters(path: Path, meta: Meta) -> int:
    """Records that the server refused, which were set aside for people to look at."""
    letters = path.parent.parent / "dead-letter" / f"{meta.producer}.jsonl"
    try:
        return sum(1 for line in letters.read_text().splitlines() if json.loads(line))
    except (OSError, ValueError):
        return 0
