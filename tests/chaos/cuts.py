"""A spool that ends anywhere: cut off at each byte, and with bytes that have changed."""

import os
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from uuid import uuid4

from runyard.reader import Reader
from runyard.records import FRAME, Lost, encode_event, encode_points
from runyard.spool import Meta, Spool

from tests.chaos.findings import Finding
from tests.chaos.stage import Stage
from tests.chaos.values import value

ALL = 10**9


def run(stage: Stage) -> Finding:
    count = stage.choose(100, 1_000)
    path = stage.folder / "cuts"
    frames = _write(path, count)
    [segment] = path.glob("*/*.seg")
    assert segment.read_bytes() == b"".join(frames)
    missed, wrong = _cut(segment, frames)
    bends = stage.choose(1_000, 10_000)
    invented = sum(_bend(segment, frames, stage) for _ in range(bends))
    return Finding(
        "spool cut at every byte, and with bytes changed",
        {"whole records missed": missed, "wrong records": wrong + invented},
        count,
        "records",
        f"{sum(map(len, frames)):,} cuts, {bends:,} changed bytes",
    )


def _write(root: Path, count: int) -> list[bytes]:
    """A spool with so many records, whose process is gone. Returns them with their frames."""
    frames = [encode_event("start", {})]
    frames += [encode_points(("m0",), [value(0, step)], step, step) for step in range(count - 1)]
    spool = Spool.create(root, Meta("p", "r", str(uuid4()), str(uuid4()), "http://127.0.0.1", {}))
    for frame in frames:
        spool.append(frame)
    spool.release()
    return frames


def _cut(segment: Path, frames: list[bytes]) -> tuple[int, int]:
    """Whole records that were not found, and records found that are not as they were written."""
    records = [frame[FRAME.size :] for frame in frames]
    ends = list(accumulate(map(len, frames)))
    missed = wrong = 0
    for size in range(ends[-1] - 1, -1, -1):
        os.truncate(segment, size)
        found, whole_count = _read(segment.parent), bisect_right(ends, size)
        missed += max(0, whole_count - len(found))
        wrong += found != records[: len(found)] or len(found) > whole_count
    return missed, wrong


def _bend(segment: Path, frames: list[bytes], stage: Stage) -> bool:
    """Whether a spool with one bit changed gives out a record that nobody wrote."""
    data = bytearray(b"".join(frames))
    data[stage.random.randrange(len(data))] ^= 1 << stage.random.randrange(8)
    segment.write_bytes(data)
    found = {one for one in _read(segment.parent) if not isinstance(one, Lost)}
    return not found <= {frame[FRAME.size :] for frame in frames}


def _read(path: Path) -> list[bytes | Lost]:
    """As `runyard sync` does it."""
    spool = Spool.adopt(path)
    assert spool
    try:
        return Reader(spool).read(1, max_records=ALL, max_bytes=ALL)
    finally:
        spool.release()
