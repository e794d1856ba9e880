"""Rows move from the write-ahead lines of a run into Parquet files, one folder for each day.

Only what keeps the order in which it was logged moves: a row of an earlier day than the one before
it stays where it is, and so does all that follows. So rows always have the same numbers: the files
in order of their names, then the lines.

A move that is cut short is told by a note, and is finished later: the new files are complete before
the note is written, and it says which lines are in them.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from runyard.aspara_store.appending import AppendFile
from runyard.aspara_store.layout import RunPaths, archived_files
from runyard.aspara_store.metadata import write_document
from runyard.aspara_store.rows import Row, decode_row
from runyard.files.documents import read_document, sync_file
from runyard.values import EPOCH

if TYPE_CHECKING:
    import polars as pl

WAL_BYTES = 1024**2  # as the original has it
FILE_BYTES = 4 * 1024**2  # of one that is written anew with more rows in it, in about 0.2 s
ARCHIVED = re.compile(r"date=\d{4}-\d\d-\d\d/\d+\.parquet")
INSTALL = "The backend 'polars' needs the package polars: pip install 'runyard[polars]'"


class Move(NamedTuple):
    """A move that was noted: so many bytes of lines, with this checksum, are in these files."""

    wal_bytes: int
    checksum: int
    files: list[str]

    def is_of(self, wal: bytes) -> bool:
        """Whether the lines are still among the write-ahead lines."""
        return crc32(wal[: self.wal_bytes]) == self.checksum and len(wal) >= self.wal_bytes


class Stretch(NamedTuple):
    """Lines that may move: rows of each day in order, and where the last of them ends."""

    days: list[tuple[str, list[Row]]]
    end: int


def archive(paths: RunPaths, wal: AppendFile) -> None:
    """Move what may move. Raises: OSError, and what polars raises; nothing is lost then."""
    with wal.hold():
        finish_move(paths, wal)
        lines = os.pread(wal.fd, wal.size, 0)
        files = list(archived_files(paths.archive))
        stretch = cut_stretch(lines, files[-1].parent.name[5:] if files else "")
        if not stretch.end:
            return
        names = [_write_day(paths.archive, day, rows) for day, rows in stretch.days]
        checksum = crc32(lines[: stretch.end])
        note = {"wal_bytes": stretch.end, "checksum": checksum, "files": names}
        write_document(paths.marker, note)
        finish_move(paths, wal)


def finish_move(paths: RunPaths, wal: AppendFile) -> None:
    """Do the rest of a move that was noted. With the lock of the lines held. Raises: OSError."""
    move = read_move(paths)
    if move is None:
        return
    for name in move.files:
        path = paths.archive / name
        with contextlib.suppress(FileNotFoundError):
            draft_of(path).replace(path)
        sync_file(path.parent)
    lines = os.pread(wal.fd, wal.size, 0)
    if move.is_of(lines):
        _drop_head(wal, lines[move.wal_bytes :])
    paths.marker.unlink()


def read_move(paths: RunPaths) -> Move | None:
    """A move that was cut short. Raises: OSError."""
    try:
        note = read_document(paths.marker)
    except ValueError:
        note = None  # it was not whole, and nothing had moved
    if not note:
        return None
    size, checksum, files = (note.get(name) for name in ("wal_bytes", "checksum", "files"))
    if not (isinstance(size, int) and isinstance(checksum, int) and isinstance(files, list)):
        return None
    names = [str(name) for name in files if ARCHIVED.fullmatch(str(name))]
    return Move(size, checksum, names)


def draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def cut_stretch(lines: bytes, newest_day: str) -> Stretch:
    """`newest_day`: of what is archived. A damaged line or one without a time stays, too."""
    days: list[tuple[str, list[Row]]] = []
    end = at = 0
    while (after := lines.find(b"\n", at) + 1) > 0:
        row = _decode(lines[at:after])
        if row is None or row.time_us is None:
            break
        day = _day(row.time_us)
        if not day or day < newest_day:
            break
        if day != newest_day or not days:
            days.append((day, []))
            newest_day = day
        days[-1][1].append(row)
        end = at = after
    return Stretch(days, end)


def _decode(line: bytes) -> Row | None:
    try:
        return decode_row(line)
    except ValueError:
        return None


def _day(time_us: int) -> str:
    try:
        return (EPOCH + timedelta(microseconds=time_us)).date().isoformat()
    except OverflowError:  # no calendar has it: the row stays where it is
        return ""


def _drop_head(wal: AppendFile, rest: bytes) -> None:
    """A file cannot lose its head: where lines are left, a new one takes its place."""
    if rest:
        wal.replace(rest, draft_of(wal.path))
    else:
        wal.cut(0)
        wal.sync()


def _write_day(archive: Path, day: str, rows: Sequence[Row]) -> str:
    """A draft of the day's last file with these rows behind, or of a new one. Returns its name."""
    folder = archive / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob("[!.]*.parquet"))
    last = found[-1] if found else None
    frame = make_frame(rows)
    if last and last.stat().st_size < FILE_BYTES:
        frame = read_frame(last).vstack(frame)
        path = last
    else:
        path = folder / f"{_number_of(last) + 1:08}.parquet"
    draft = draft_of(path)
    draft.unlink(missing_ok=True)
    frame.write_parquet(draft, compression="zstd", compression_level=1)
    sync_file(draft)
    sync_file(folder)
    return path.relative_to(archive).as_posix()


def _number_of(path: Path | None) -> int:
    return int(path.stem) if path and path.stem.isdecimal() else -1


def make_frame(rows: Sequence[Row]) -> "pl.DataFrame":
    """One line for each point, in the columns of the original."""
    polars = load_polars()
    points = [(row, name, value) for row in rows for name, value in row.values.items()]
    times = polars.Series("timestamp", [row.time_us for row, _, _ in points], polars.Int64)
    frame = polars.DataFrame(
        {
            "timestamp": times.cast(polars.Datetime("us")),
            "step": polars.Series([row.step for row, _, _ in points], dtype=polars.Int64),
            "metric_name": polars.Series([name for _, name, _ in points], dtype=polars.String),
            "metric_value": polars.Series([value for _, _, value in points], dtype=polars.Float64),
        }
    )
    dated: pl.DataFrame = frame.with_columns(
        polars.col("timestamp").cast(polars.Date).alias("date")
    )
    return dated


def read_frame(source: Any) -> "pl.DataFrame":
    """A file of an archive: a path or the open file. Raises: what polars raises."""
    polars = load_polars()
    frame = polars.read_parquet(source, hive_partitioning=False)
    known: pl.DataFrame = frame.select(
        polars.col("timestamp").cast(polars.Datetime("us")),
        polars.col("step").cast(polars.Int64),
        polars.col("metric_name").cast(polars.String),
        polars.col("metric_value").cast(polars.Float64),
        polars.col("timestamp").cast(polars.Date).alias("date"),
    )
    return known


def load_polars() -> Any:
    """Raises: ImportError that says how to get it."""
    try:
        import polars as pl  # noqa: PLC0415 -- optional dependency, and slow
    except ImportError:
        raise ImportError(INSTALL) from None
    return pl
