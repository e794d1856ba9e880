"""Reads runs of Aspara, whoever wrote them and however their writer ended.

Nothing is written, so that a read-only copy can be read too. What cannot be read is left out and
said in `problems`; only a run that is not there raises.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runyard import life
from runyard.artifacts import NAME as ARTIFACT_NAME
from runyard.aspara_store.layout import Backend, RunPaths
from runyard.aspara_store.points import read_points
from runyard.aspara_store.rows import Row, decode_row
from runyard.files.documents import read_document
from runyard.files.probing import open_file
from runyard.values import as_time_us

MAX_LINE_BYTES = 64 * 1024**2  # of one row; a longer one is no row
WORDS = {"wip": None, "maybe_failed": None, "completed": "completed", "failed": "failed"}
RUN_ID = re.compile(rb'"run_id"\s*:\s*"([A-Za-z0-9_-]{1,64})"')


class Problem(NamedTuple):
    """`offset`: of the byte where what could not be read begins, 0 where it is the whole file."""

    path: Path
    offset: int
    reason: str


class Record(NamedTuple):
    """A row with the place after it, from which `records` goes on.

    In lines the place is a byte; in archives the number of points so far, and each point is a record
    of its own. A place stays right when lines move into the archive. Steps and times that are missing
    are None.
    """

    after: int
    row: Row


class About(NamedTuple):
    """All that is not a row. `status` is None of a run that nobody ended; times are UTC µs.

    `config` has the `params` of old versions in it. `exit_code` and `reason` say how it ended.
    """

    run_id: str
    tags: Sequence[str]
    notes: str
    config: dict[str, Any]
    summary: dict[str, Any]
    status: str | None
    exit_code: int | None
    reason: str
    started_us: int | None
    finished_us: int | None
    environment: dict[str, Any]


class StoredArtifact(NamedTuple):
    """`path` is None where the file is not there."""

    name: str
    description: str
    category: str
    size_bytes: int
    path: Path | None


class ProjectAbout(NamedTuple):
    tags: Sequence[str]
    notes: str


class StoredRun:
    """One run as it is now. The documents are read once, rows each time they are asked for."""

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.problems: list[Problem] = []
        self.heights: dict[tuple[str | int, ...], int] = {}  # points in archived files read before
        self.backend: Backend = paths.backend()
        self.is_damaged = False  # its document, which says nothing then but perhaps which run it is
        self._document = self._read(paths.meta)
        self.about = describe(self._document)

    @property
    def is_alive(self) -> bool:
        """Whether a process of ours has it open; of the original's processes nobody can tell."""
        return life.is_held(self.paths.life)

    @property
    def was_killed(self) -> bool:
        return life.is_left(self.paths.life)

    @property
    def changed_at(self) -> float:
        """When something was written last, in seconds since 1970."""
        return max((os.path.getmtime(path) for path in self._files() if path.exists()), default=0.0)  # noqa: PTH204

    def records(self, after: int = 0) -> Iterator[Record]:
        """Rows behind a place. A last line that is not whole yet is left for the next time."""
        if self.backend == "jsonl":
            return self.rows(after)
        return self._points(after, with_rows=True)

    def rows(self, after: int = 0) -> Iterator[Record]:
        """As `records`, of the backend `jsonl` alone: a run may have been resumed with the other."""
        return self._lines(self.paths.rows, after)

    def points(self, after: int = 0) -> Iterator[Record]:
        """As `records`, of the backend `polars` alone."""
        return self._points(after, with_rows=False)

    def _points(self, after: int, *, with_rows: bool) -> Iterator[Record]:
        points = read_points(self, after, with_rows=with_rows)
        try:
            for number, row in enumerate(points, after + 1):
                yield Record(number, row)
        except OSError as error:
            self.complain(self.paths.wal, 0, str(error))

    def artifacts(self) -> Iterator[StoredArtifact]:
        """Each name once, the newest of it; then files that nobody describes."""
        entries = {}
        for entry in self._entries():
            entries[entry["name"]] = entry
        files = self._artifact_files()
        for name, entry in entries.items():
            yield self._artifact(name, entry, files.pop(name, None))
        for name, path in files.items():
            yield self._artifact(name, {}, path)

    def _files(self) -> list[Path]:
        return [self.paths.rows, self.paths.wal, self.paths.meta, self.paths.archive]

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return read_document(path) or {}
        except (OSError, ValueError) as error:
            self.complain(path, 0, f"it cannot be read: {error}")
            self.is_damaged = True
            run_id = _find_run_id(path)
            return {"run_id": run_id} if run_id else {}

    def complain(self, path: Path, offset: int, reason: str) -> None:
        self.problems.append(Problem(path, offset, reason))

    # ── Rows ─────────────────────────────────────────────────────────────────

    def _lines(self, path: Path, start: int) -> Iterator[Record]:
        try:
            with open_file(path) as file:
                file.seek(start)
                while line := file.readline(MAX_LINE_BYTES):
                    row, is_whole = self.decode(path, start, line)
                    if not is_whole:
                        return
                    start += len(line)
                    if row:
                        yield Record(start, row)
        except FileNotFoundError:
            return
        except OSError as error:
            self.complain(path, start, str(error))

    def decode(self, path: Path, offset: int, line: bytes) -> tuple[Row | None, bool]:
        """The row in a line, and whether the line is whole."""
        if not line.strip(b"\0 \t\r\n"):
            return None, line.endswith(b"\n")
        try:
            row = decode_row(line)
        except ValueError as error:
            if line.endswith(b"\n") or len(line) == MAX_LINE_BYTES:
                self.complain(path, offset, str(error))
                return None, True
            self.complain(path, offset, "the last line is cut short")
            return None, False
        if row and row.left_out:
            names = ", ".join(row.left_out[:5])
            self.complain(path, offset, f"values that are no numbers: {names}")
        return row, True

    # ── Artifacts ────────────────────────────────────────────────────────────

    def _entries(self) -> Iterator[dict[str, Any]]:
        entries = self._document.get("artifacts", [])
        for entry in entries if isinstance(entries, list) else []:
            name = entry.get("name") if isinstance(entry, dict) else None
            if isinstance(name, str) and ARTIFACT_NAME.fullmatch(name):
                yield entry
            else:
                self.complain(self.paths.meta, 0, f"an artifact without a good name: {name!r:.80}")

    def _artifact_files(self) -> dict[str, Path]:
        """By their names. No links: they may lead anywhere."""
        for folder in (self.paths.files, self.paths.artifacts):
            if folder.is_symlink():
                self.complain(folder, 0, "a link: what it leads to is no part of the run")
                return {}
        try:
            found = sorted(self.paths.artifacts.iterdir())
        except OSError:
            return {}
        return {path.name: path for path in found if path.is_file() and not path.is_symlink()}

    def _artifact(self, name: str, entry: dict[str, Any], path: Path | None) -> StoredArtifact:
        size = path.stat().st_size if path else entry.get("file_size")
        if path is None:
            self.complain(self.paths.artifacts / name, 0, "the file is not there")
        about, kind = _text(entry.get("description")), _text(entry.get("category"))
        return StoredArtifact(name, about, kind, size if isinstance(size, int) else 0, path)


def _find_run_id(path: Path) -> str:
    """It comes first in a document, and survives when the rest is cut off or overwritten."""
    try:
        with open_file(path) as file:
            found = RUN_ID.search(file.read(MAX_LINE_BYTES))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def read_run(root: Path, project: str, name: str) -> StoredRun:
    """Raises: FileNotFoundError."""
    paths = RunPaths(root, project, name)
    if not paths.exists():
        raise FileNotFoundError(f"There is no run {project}/{name} in {root}.")
    return StoredRun(paths)


def read_project(root: Path, project: str) -> ProjectAbout:
    """Damaged or missing: nothing is known."""
    try:
        document = read_document(root / project / "metadata.json") or {}
    except (OSError, ValueError):
        document = {}
    return ProjectAbout(_texts(document.get("tags")), _text(document.get("notes")))


def describe(document: dict[str, Any]) -> About:
    """What a run's document says, in whatever version it was written."""
    exit_code = document.get("exit_code")
    exit_code = exit_code if isinstance(exit_code, int) else None
    return About(
        run_id=_text(document.get("run_id")),
        tags=_texts(document.get("tags")),
        notes=_text(document.get("notes")),
        config={**_map(document.get("params")), **_map(document.get("config"))},
        summary=_map(document.get("summary")),
        status=_status(document, exit_code),
        exit_code=exit_code,
        reason=_text(document.get("reason")),
        started_us=_time_us(document.get("start_time")),
        finished_us=_time_us(document.get("finish_time")),
        environment=_map(document.get("environment")),
    )


def _status(document: dict[str, Any], exit_code: int | None) -> str | None:
    """Our own word, the original's, or what follows from the others. Nobody ended it: None."""
    status = document.get("status")
    if status == "failed" and document.get("is_cancelled") is True:
        return "cancelled"
    if isinstance(status, str) and status in WORDS:
        return WORDS[status]
    if document.get("is_finished") is not True or exit_code is None:
        return None
    return "failed" if exit_code else "completed"


def _time_us(value: object) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) else as_time_us(value)
    except ValueError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
