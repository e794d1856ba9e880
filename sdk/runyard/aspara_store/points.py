"""The points of a run with archives, always in the same order: lines, archived files, lines again.

Lines move into archives while they are read. So for a moment the lines' lock is shared: what is read
then is of one time, and what is replaced afterwards stays open.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from runyard.aspara_store.archive import draft_of, load_polars, read_frame, read_move
from runyard.aspara_store.layout import RunPaths, archived_files
from runyard.aspara_store.rows import Row
from runyard.files.probing import open_file
from runyard.same_file import is_at

if TYPE_CHECKING:
    import polars as pl

    from runyard.aspara_store.reading import StoredRun

Point = tuple[int | None, int | None, str, float]  # time, step, name, value


class Snapshot(NamedTuple):
    """`sources`: archived files, those that may be replaced already open. `wal`: the lines behind."""

    sources: list[tuple[Path, Path | IO[bytes]]]
    wal: bytes
    wal_start: int


def read_points(run: "StoredRun", skip: int, *, with_rows: bool) -> Iterator[Row]:
    """Rows of one point each, from a place on. `with_rows`: first those of another backend."""
    points = _all_points(run, Skip(skip), with_rows=with_rows)
    for time_us, step, name, value in points:
        yield Row(step, time_us, {name: value})


class Skip:
    """How many points are still to be passed over."""

    def __init__(self, count: int) -> None:
        self.count = count

    def apply(self, points: Iterator[Point]) -> Iterator[Point]:
        while self.count and next(points, None) is not None:
            self.count -= 1
        return points


def _all_points(run: "StoredRun", skip: Skip, *, with_rows: bool) -> Iterator[Point]:
    with contextlib.ExitStack() as held:
        snapshot = take_snapshot(run.paths, held)
        if with_rows:
            yield from skip.apply(_points_of_rows(run, held))
        archived: set[Point] = set()
        is_doubtful = run.paths.foreign_marker.exists()
        for path, source in snapshot.sources:
            for point in _archived_points(run, path, source, skip):
                if is_doubtful:
                    archived.add(point)
                yield point
        lines = iter(snapshot.wal[snapshot.wal_start :].splitlines(keepends=True))
        points = _points_in(run, run.paths.wal, snapshot.wal_start, lines)
        yield from skip.apply(point for point in points if point not in archived)


def _points_of_rows(run: "StoredRun", held: contextlib.ExitStack) -> Iterator[Point]:
    with contextlib.suppress(FileNotFoundError):
        rows = held.enter_context(open_file(run.paths.rows))
        yield from _points_in(run, run.paths.rows, 0, rows)


def take_snapshot(paths: RunPaths, held: contextlib.ExitStack) -> Snapshot:
    """Raises: OSError."""
    with contextlib.ExitStack() as locked:
        wal = _lock_wal(paths.wal, locked)
        lines = wal.read() if wal else b""
        move = read_move(paths)
        moving = {paths.archive / name for name in move.files} if move else set()
        files = sorted({*archived_files(paths.archive), *moving})
        sources: list[tuple[Path, Path | IO[bytes]]] = [(path, path) for path in files]
        for i, path in enumerate(files):
            if path in moving or path == files[-1]:
                is_new = path in moving and draft_of(path).exists()
                with contextlib.suppress(OSError):  # it is said by whoever reads it
                    file = open_file(draft_of(path) if is_new else path)
                    sources[i] = (path, held.enter_context(file))
        start = move.wal_bytes if move and move.is_of(lines) else 0
        return Snapshot(sources, lines, start)


def _lock_wal(path: Path, held: contextlib.ExitStack) -> IO[bytes] | None:
    while True:
        try:
            file = held.enter_context(open_file(path))
        except FileNotFoundError:
            return None
        with contextlib.suppress(OSError):  # where the file system knows no locks
            fcntl.flock(file, fcntl.LOCK_SH)
        if is_at(file.fileno(), path) or not path.exists():
            return file


def _points_in(
    run: "StoredRun", path: Path, offset: int, lines: Iterator[bytes] | IO[bytes]
) -> Iterator[Point]:
    for line in lines:
        row, is_whole = run.decode(path, offset, line)
        if not is_whole:
            return
        offset += len(line)
        if row:
            for name, value in row.values.items():
                yield row.time_us, row.step, name, value


def _archived_points(
    run: "StoredRun", path: Path, source: Path | IO[bytes], skip: Skip
) -> Iterator[Point]:
    key = _key_of(path, source)
    if run.heights.get(key, skip.count + 1) <= skip.count:  # known, and passed over whole
        skip.count -= run.heights[key]
        return
    frame = _read_archived(run, path, source)
    if frame is None:
        return
    if key:
        run.heights[key] = frame.height
    passed = min(skip.count, frame.height)
    skip.count -= passed
    yield from frame.slice(passed).iter_rows()


def _key_of(path: Path, source: Path | IO[bytes]) -> tuple[str | int, ...]:
    """The same as long as the file is the same."""
    try:
        status = path.stat() if isinstance(source, Path) else os.fstat(source.fileno())
    except OSError:
        return ()
    return path.name, status.st_ino, status.st_size, status.st_mtime_ns


def _read_archived(run: "StoredRun", path: Path, source: Any) -> "pl.DataFrame | None":
    try:
        pl = load_polars()
        frame = read_frame(source).drop_nulls(["metric_name", "metric_value"])
        time_us = pl.col("timestamp").cast(pl.Int64)
        return frame.select(time_us, "step", "metric_name", "metric_value")
    except ImportError as error:
        run.complain(path, 0, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever polars says of a damaged file
        run.complain(path, 0, f"the archive cannot be read: {error}")
    return None
