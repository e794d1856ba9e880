"""Reads directories of experiments, whoever wrote them and however their writer ended.

Nothing is written and no lock is waited for, so that a read-only copy can be read too. What cannot be
read is left out and said in `problems`; only a path that is no experiment raises.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from runyard import life
from runyard.dash.experiment import list_senders
from runyard.dash.names import OWN_FOLDERS, file_path, stream_name
from runyard.dash.records import About
from runyard.files.documents import read_document
from runyard.files.probing import is_file, is_folder, measure, open_file
from runyard.values import as_time_us

ABOUT_FILE = "experiment.json"
LIFE_FILE = ".life.lock"  # held by the processes of ours that have the experiment open
MAX_LINE_BYTES = 64 * 1024**2  # of one row; a longer one is no row
MAX_PROBLEMS = 20  # told of one file; a file of rubbish has millions
BLANK = b" \t\r\n\0"  # zeros: what a power cut leaves behind

_decode = json.JSONDecoder().raw_decode


class Stream(NamedTuple):
    """Rows of one name; the unnamed stream is None. `path` is the file of its rows."""

    name: str | None
    path: Path
    size_bytes: int
    description: str | None = None
    tags: Sequence[str] = ()
    metadata: dict[str, Any] | None = None
    created_at: str | None = None


class File(NamedTuple):
    """A saved file: the entry the original writes, and where its bytes are, if they are there."""

    entry: dict[str, Any]
    path: Path | None

    @property
    def is_deleted(self) -> bool:
        return self.entry["deletedAt"] is not None


class Experiment:
    """`status` is None where none is known: the original writes none. Times are texts as written."""

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self.path = path
        self.problems: list[str] = []
        self._complaints: Counter[str] = Counter()
        document = self._read(path / ABOUT_FILE)
        self.document: dict[str, Any] = document
        self.about = describe(document, path, root)
        self.created_at = _text(document.get("created_at"))
        self.started_at = _text(document.get("started_at"))
        self.ended_at = _text(document.get("ended_at"))
        self.status = _read_status(document)
        params = self._read(path / "parameters.json").get("data", {})
        self.params: dict[str, Any] = params if isinstance(params, dict) else {}
        if params is not self.params:
            self.problems.append("parameters.json: its data is not an object")

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return read_document(path) or {}
        except (OSError, ValueError) as error:
            self.problems.append(f"{path.relative_to(self.path)}: {error}")
            return {}

    @property
    def is_alive(self) -> bool:
        """Whether a process of ours has it open; of the original's processes nobody can tell."""
        return life.is_held(self.path / LIFE_FILE)

    @property
    def was_killed(self) -> bool:
        return life.is_left(self.path / LIFE_FILE)

    @property
    def senders(self) -> list[Path]:
        """Spools of jobs that send their rows and log lines to a server themselves."""
        return [Path(text) for text in list_senders(self.document)]

    @property
    def changed_at(self) -> float:
        """When something was written last, in seconds since 1970."""
        paths = [self.path / ABOUT_FILE, self.path / "parameters.json", self._log_path]
        paths += [self.path / "files" / ".files_metadata.json"]
        paths += [stream.path for stream in self.streams()]
        return max((path.stat().st_mtime for path in paths if is_file(path)), default=0.0)

    # ── Logs and rows ────────────────────────────────────────────────────────

    @property
    def _log_path(self) -> Path:
        return self.path / "logs" / "logs.jsonl"

    @property
    def log_bytes(self) -> int:
        return measure(self._log_path)

    def logs(self, offset: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """Lines from a byte on, each with the offset after it."""
        for after, line in self._lines(self._log_path, offset):
            if isinstance(line.get("message"), str):
                yield after, line
            else:
                self._complain(self._log_path, after, "a line without a message")

    def rows(self, stream: Stream, offset: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows from a byte on, each with the offset after it: `index`, `data`, `createdAt`."""
        for after, row in self._lines(stream.path, offset):
            if isinstance(row.get("data"), dict):
                yield after, row
            else:
                self._complain(stream.path, after, "a row without data")

    def track_rows(self, track: Stream, offset: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """In the shape of `rows`: the time of an entry is its `_ts`."""
        for after, entry in self._lines(track.path, offset):
            fields = {"_ts": entry.pop("timestamp", None), **entry}
            yield after, {"index": None, "data": fields, "createdAt": None}

    def _lines(self, path: Path, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        try:
            with open_file(path) as file:
                file.seek(offset)
                while line := file.readline(MAX_LINE_BYTES):
                    offset += len(line)
                    row = self._parse(path, offset, line)
                    if row is not None:
                        yield offset, row
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain(path, offset, str(error))

    def _parse(self, path: Path, after: int, line: bytes) -> dict[str, Any] | None:
        try:
            row = decode_line(line)
        except (ValueError, RecursionError):
            if line.strip(BLANK):
                torn = "" if line.endswith(b"\n") else ", the last one: its writer was cut short"
                self._complain(path, after, f"a line that is not JSON{torn}")
            return None
        if isinstance(row, dict):
            return row
        self._complain(path, after, "a line that is not a JSON object")
        return None

    def _complain(self, path: Path, offset: int, text: str) -> None:
        place = str(path.relative_to(self.path))
        self._complaints[place] += 1
        if self._complaints[place] <= MAX_PROBLEMS:
            self.problems.append(f"{place}: {text} (before byte {offset})")
        elif self._complaints[place] == MAX_PROBLEMS + 1:
            self.problems.append(f"{place}: more of that kind (from byte {offset} on)")

    # ── Streams and files ────────────────────────────────────────────────────

    def streams(self) -> Iterator[Stream]:
        """In order of their paths, however deep they are nested."""
        for path, words, data in self._series("metrics"):
            yield _stream(stream_name(path), words, data)

    def tracks(self) -> Iterator[Stream]:
        """Series by time; their slashes have become `_` in the directory's name."""
        for path, words, data in self._series("tracks"):
            yield _stream(_text(words.get("topic")) or str(path), words, data)

    def _series(self, folder: str) -> Iterator[tuple[PurePosixPath, dict[str, Any], Path]]:
        for path, place in walk_series(self.path / folder, self.problems):
            yield path, self._read(place / "metadata.json"), place / "data.jsonl"

    def files(self) -> Iterator[File]:
        """Deleted ones too."""
        entries = self._read(self.path / "files" / ".files_metadata.json").get("files", [])
        for entry in entries if isinstance(entries, list) else []:
            known = complete_entry(entry) if isinstance(entry, dict) else None
            if known is None:
                self.problems.append(f"files: an entry without an id or a name: {entry!r:.80}")
                continue
            yield File(known, self._locate(known))

    def _locate(self, entry: dict[str, Any]) -> Path | None:
        try:
            below = file_path(entry["path"], entry["id"], entry["filename"])
        except ValueError as error:
            self.problems.append(f"files: {error}")
            return None
        path = self.path / "files" / below
        if is_file(path):
            if path.resolve().is_relative_to((self.path / "files").resolve()):
                return path
            self.problems.append(f"files: {below} leads out of the experiment")
            return None
        if entry["deletedAt"] is None:
            self.problems.append(f"files: {below} is not there")
        return None


def find_experiments(root: Path, problems: list[str] | None = None) -> Iterator[Path]:
    """The directories of experiments, in order, however deep; links that lead round are cut.

    `problems`: takes what could not be looked into.
    """
    for folder in _walk(root, [] if problems is None else problems):
        if is_file(folder / ABOUT_FILE):
            yield folder


def read_experiment(path: Path, root: Path | None = None) -> Experiment:
    """`root`: what the prefix is taken from where the experiment does not say its own.

    Raises: FileNotFoundError.
    """
    if not is_file(path / ABOUT_FILE):
        raise FileNotFoundError(f"{path} is not an experiment: it has no {ABOUT_FILE}.")
    return Experiment(path, root)


def describe(document: dict[str, Any], path: Path, root: Path | None) -> About:
    """Who an experiment is; its own words first, its place second."""
    below = path.relative_to(root) if root and path.is_relative_to(root) else path
    prefix = _text(document.get("prefix")) or ""
    parts = [part for part in prefix.split("/") if part]
    parts = parts or [part for part in below.parts if part != below.anchor][-3 if not root else 0 :]
    metadata = document.get("metadata")
    return About(
        prefix="/".join(parts),
        owner=parts[0] if len(parts) > 1 else "",
        project=parts[1] if len(parts) > 1 else _text(document.get("project")) or "",
        folder="/".join(parts[2:-1]),
        name=parts[-1] if parts else _text(document.get("name")) or "",
        readme=_text(document.get("description")),
        tags=_texts(document.get("tags")),
        bindrs=_texts(document.get("bindrs")),
        metadata=metadata if isinstance(metadata, dict) else None,
    )


def decode_line(line: bytes) -> Any:
    """Twice as fast as `json.loads`, which matters for millions of rows. Raises: ValueError."""
    text = line.lstrip(BLANK).decode()
    value, end = _decode(text)
    if text[end:].rstrip():
        raise ValueError("more than one value")
    return value


def complete_entry(entry: dict[str, Any]) -> dict[str, Any] | None:
    """The 14 keys of a file's entry: old versions write fewer. None if it is no entry at all."""
    file_id, filename, path = entry.get("id"), entry.get("filename"), entry.get("path")
    if not isinstance(file_id, str) or not isinstance(filename, str):
        return None
    size = entry.get("sizeBytes")
    return {
        "id": file_id,
        "experimentId": entry.get("experimentId"),
        "path": path if isinstance(path, str) and path else "/",
        "filename": filename,
        "description": entry.get("description"),
        "tags": _texts(entry.get("tags")),
        "bindrs": _texts(entry.get("bindrs")),
        "contentType": entry.get("contentType") or "application/octet-stream",
        "sizeBytes": size if isinstance(size, int) else 0,
        "checksum": entry.get("checksum"),
        "metadata": entry.get("metadata"),
        "uploadedAt": entry.get("uploadedAt"),
        "updatedAt": entry.get("updatedAt"),
        "deletedAt": entry.get("deletedAt"),
    }


def walk_series(top: Path, problems: list[str]) -> Iterator[tuple[PurePosixPath, Path]]:
    """The directories with rows in them: by name, and where they are."""
    for place in sorted(_walk(top, problems)):
        if is_file(place / "data.jsonl"):
            yield PurePosixPath(place.relative_to(top).as_posix()), place


def _stream(name: str | None, words: dict[str, Any], data: Path) -> Stream:
    metadata = words.get("metadata")
    return Stream(
        name,
        data,
        measure(data),
        _text(words.get("description")),
        _texts(words.get("tags")),
        metadata if isinstance(metadata, dict) else None,
        _text(words.get("createdAt")),
    )


def _read_status(document: dict[str, Any]) -> str | None:
    """The original keeps a status it finds but never changes it: once it came back, it is void."""
    status = _text(document.get("status"))
    said_at = _text(document.get("status_at")) or ""
    updated_at = _text(document.get("updated_at")) or ""
    try:
        is_void = as_time_us(updated_at) > as_time_us(said_at)
    except ValueError:  # one of them is missing, or is no time
        is_void = updated_at > said_at
    return None if is_void else status


def _walk(root: Path, problems: list[str]) -> Iterator[Path]:
    """A directory and those below it, each once. What is an experiment's own is left out."""
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            entries = sorted(entry.name for entry in os.scandir(folder) if is_folder(entry))
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(str(error))
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        yield folder
        own = OWN_FOLDERS if is_file(folder / ABOUT_FILE) else frozenset()
        waiting += [folder / name for name in reversed(entries) if name not in own]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
