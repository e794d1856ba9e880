"""How the rows of a run are stored: as lines, or as lines that move into an archive."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from runyard.aspara_store.appending import AppendFile
from runyard.aspara_store.archive import WAL_BYTES, archive, load_polars
from runyard.aspara_store.layout import Backend, RunPaths, archived_files
from runyard.aspara_store.rows import decode_row
from runyard.files.probing import open_file
from runyard.notices import Once

# What we write and the original writes: the step is read without the whole line, ten times as fast.
QUICK = re.compile(rb'\{"timestamp": -?\d+, "step": (-?\d+), "metrics": \{[^{}]*\}\}\n')


class Lines:
    """The backend `jsonl`."""

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.file = AppendFile(paths.rows)

    def append(self, line: bytes) -> None:
        self.file.append(line)

    def next_step(self) -> int:
        """The step after the greatest there is. Damaged lines and odd ones do not count."""
        return max((step + 1 for step in _steps_in(self.paths.rows)), default=0)

    def finish(self) -> None:
        """All is in the file that can be."""
        self.file.push()

    def sync(self) -> int:
        """Bring all onto the disk. Returns the number of rows that it would not take."""
        self.file.push()
        self.file.sync()
        return self.file.waiting_count + self.file.lost_count

    def close(self) -> None:
        self.file.close()

    def forget_parent(self) -> None:
        self.file.forget_parent()


class Archived(Lines):
    """The backend `polars`."""

    def __init__(self, paths: RunPaths) -> None:
        """Raises: ImportError."""
        load_polars()
        super().__init__(paths)
        self.file = AppendFile(paths.wal)
        self._pid = os.getpid()
        self._is_archiving = False
        self._limit_bytes = WAL_BYTES
        self._notices = Once()

    def append(self, line: bytes) -> None:
        if self.file.size >= self._limit_bytes:
            self._archive()
        self.file.append(line)

    def next_step(self) -> int:
        pl = load_polars()
        found = [super().next_step()]
        found += [step + 1 for step in _steps_in(self.paths.wal)]
        for path in archived_files(self.paths.archive):
            with contextlib.suppress(OSError, pl.exceptions.PolarsError):
                frame = pl.read_parquet(path, columns=["step"], hive_partitioning=False)
                found.append((frame["step"].max() or 0) + 1)
        return max(found)

    def finish(self) -> None:
        super().finish()
        self._archive()

    def _archive(self) -> None:
        """Where it fails, the rows stay where they are. A forked child leaves it: polars has threads."""
        if self._is_archiving or os.getpid() != self._pid:
            return
        self._is_archiving = True
        try:
            archive(self.paths, self.file)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the training goes on
            self._notices.warn("archive", f"cannot archive rows of {self.paths.wal}: {error!r}")
        finally:
            self._is_archiving = False
            self._limit_bytes = max(WAL_BYTES, 2 * self.file.size)  # where rows had to stay


def open_backend(backend: Backend, paths: RunPaths) -> Lines:
    """Raises: ImportError."""
    return Archived(paths) if backend == "polars" else Lines(paths)


def _steps_in(path: Path) -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError), open_file(path) as file:
        yield from _steps_of(file)


def _steps_of(lines: Iterable[bytes]) -> Iterator[int]:
    for line in lines:
        found = QUICK.fullmatch(line)
        if found:
            yield int(found[1])
            continue
        with contextlib.suppress(ValueError):
            row = decode_row(line)
            if row and row.step is not None:
                yield row.step
