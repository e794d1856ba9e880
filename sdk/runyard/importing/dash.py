"""Experiments of ML-Dash on disk, as runs and strands."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runyard.dash.documents import read_document
from runyard.dash.reading import (
    ABOUT_FILE,
    Experiment,
    File,
    Stream,
    find_experiments,
    is_file,
    read_experiment,
)
from runyard.importing.source import (
    FoundRun,
    Options,
    Parcel,
    Problem,
    Record,
    Strand,
    encode,
    events,
    fingerprint,
    first_line,
)
from runyard.values import MAX_TEXT_LENGTH, as_json, as_tags, as_time_us

FORMAT = "ml_dash"
DEFAULT_PROJECT = "scratch"  # the original's, too
STATUSES = {"COMPLETED": "completed", "FAILED": "failed", "CANCELLED": "cancelled"}
TIMES_S = range(-62_135_596_800, 253_402_300_800)  # what a calendar can show
FILE_IDS = range(1, 10**18)  # what the server takes
TORN = "cut short"  # in the reader's words for a line that is perhaps still being written

Rows = Callable[[Stream], Iterator[tuple[int, dict[str, Any]]]]


def recognise(path: Path) -> bool:
    return next(find_experiments(path), None) is not None


def open_source(path: Path, options: Options) -> "DashSource":
    return DashSource(path, options)


class DashSource:
    """Another project may be given as `NAME` or `OWNER/NAME`."""

    def __init__(self, path: Path, options: Options) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._root = _find_root(path)
        self._owner, _, self._project = options.project.rpartition("/")
        self._idle_s = options.idle_s

    def find(self) -> Iterator[FoundRun]:
        for path in find_experiments(self._path):
            experiment = read_experiment(path, self._root)
            if experiment.about.name:
                yield self._describe(experiment)
            else:
                self.problems.append(Problem(str(path), "it has no name"))

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        experiment = read_experiment(Path(run.place), self._root)
        yield from _describe_again(run, experiment)
        for stream in experiment.streams():
            yield from self._rows(experiment, stream, stream.name or "", experiment.rows)
        for track in experiment.tracks():
            name = f"tracks/{track.name}"
            yield from self._rows(experiment, track, name, experiment.track_rows)
        yield from _logs(experiment)
        for file in experiment.files():
            if not file.is_deleted and file.path:
                yield _file(run, file.path, file)
        yield _status(experiment, self._idle_s)
        self.problems += (
            Problem(run.place, text, is_loss=TORN not in text)
            for text in dict.fromkeys(experiment.problems)
        )

    def _describe(self, experiment: Experiment) -> FoundRun:
        about = experiment.about
        owner = self._owner or about.owner
        project = self._project or about.project or DEFAULT_PROJECT
        is_known = experiment.status is not None
        start = {
            "source": FORMAT,
            "namespace": owner,
            "project_name": project,
            "folder": about.folder,
            "name": about.name,
            "started_at": _time_us(experiment.started_at or experiment.created_at),
            "config": self._cleaned(experiment, experiment.params, "param"),
            "environment": {
                "imported_from": {"format": "ML-Dash", "path": str(experiment.path)},
                "status_source": "recorded" if is_known else "inferred",
            },
            **self._words(experiment),
        }
        start = {key: value for key, value in start.items() if value not in (None, "", {})}
        path = "/".join((owner, project, about.folder, about.name))
        identity = f"{path} {experiment.created_at or ''}"
        return FoundRun(identity, FORMAT, start, str(experiment.path))

    def _words(self, experiment: Experiment) -> dict[str, Any]:
        about = experiment.about
        readme = about.readme or ""
        if len(readme) > MAX_TEXT_LENGTH:
            self._leave_out(experiment, f"the readme beyond {MAX_TEXT_LENGTH:,} characters")
        metadata = self._cleaned(experiment, about.metadata or {}, "metadata")
        return {
            "readme": readme[:MAX_TEXT_LENGTH].replace("\0", "\u2400"),
            "tags": self._tags(experiment, about.tags) or None,
            "bindrs": self._tags(experiment, about.bindrs) or None,
            "metadata": metadata,
        }

    def _cleaned(
        self, experiment: Experiment, values: Mapping[str, Any], what: str
    ) -> dict[str, Any]:
        """Without what the server would not have: it would refuse all of it for that."""
        cleaned = {}
        for key, value in values.items():
            try:
                cleaned[key] = as_json(value, f"{what} {key!r}")
            except ValueError as error:
                self._leave_out(experiment, str(error))
        return cleaned

    def _tags(self, experiment: Experiment, tags: Any) -> list[str]:
        try:
            return as_tags(tags)
        except ValueError as error:
            self._leave_out(experiment, str(error))
            return []

    def _leave_out(self, experiment: Experiment, reason: str) -> None:
        self.problems.append(Problem(str(experiment.path), reason))

    def _rows(
        self, experiment: Experiment, stream: Stream, name: str, rows: Rows
    ) -> Iterator[Strand]:
        """Record 2 tells of the stream, then come its rows."""
        begin = first_line(stream.path)
        if not begin:
            return
        words = {
            "description": stream.description,
            "tags": list(stream.tags),
            "metadata": dict(stream.metadata or {}),
        }
        said = {"stream": name, **{key: value for key, value in words.items() if value}}
        read = partial(_read_rows, experiment, stream, said, rows)
        yield Strand(f"rows of {name or 'no name'}", f"rows {name} {fingerprint(begin)}", read)


def _find_root(path: Path) -> Path | None:
    """What prefixes are taken from: the path itself, or what an experiment lies in."""
    if not is_file(path / ABOUT_FILE):
        return path
    return next((parent for parent in path.parents if parent.name == ".dash"), None)


def _describe_again(run: FoundRun, experiment: Experiment) -> Iterator[Strand]:
    """What may have changed since the run was made. Each state is told once."""
    said = {key: run.start.get(key) for key in ("readme", "tags", "bindrs", "metadata")}
    given = {key: value for key, value in said.items() if value}
    if given:
        yield Strand("words", f"words {fingerprint(said)}", lambda: iter(()), given)
    if config := run.start.get("config"):
        # Back to an earlier state is a state of its own: the file says when it was written.
        with contextlib.suppress(OSError, ValueError):
            written = (read_document(experiment.path / "parameters.json") or {}).get("updatedAt")
            yield events("params", f"params {fingerprint(config, written)}", ("config", config))


def _read_rows(
    experiment: Experiment, stream: Stream, said: dict[str, Any], rows: Rows
) -> Iterator[Record]:
    yield encode("stream", said)
    name, time_us = said["stream"], _time_us(stream.created_at or experiment.created_at) or 0
    for _, row in rows(stream):
        time_us = _row_time_us(row, time_us)
        yield encode("row", {"stream": name, "fields": row["data"], "time": time_us})


def _row_time_us(row: Mapping[str, Any], before_us: int) -> int:
    """When it was written; else when it was measured; else as the row before it."""
    said = _time_us(row.get("createdAt"))
    if said is not None:
        return said
    seconds = row["data"].get("_ts")
    is_time = isinstance(seconds, (int, float)) and TIMES_S[0] <= seconds <= TIMES_S[-1]
    return round(seconds * 1e6) if is_time else before_us


def _logs(experiment: Experiment) -> Iterator[Strand]:
    path = experiment.path / "logs" / "logs.jsonl"
    if is_file(path) and (begin := first_line(path)):
        yield Strand("log", f"log {fingerprint(begin)}", partial(_read_log, experiment))


def _read_log(experiment: Experiment) -> Iterator[Record]:
    time_us = _time_us(experiment.created_at) or 0
    for _, line in experiment.logs():
        said = _time_us(line.get("timestamp"))
        time_us = time_us if said is None else said
        payload = {"message": line["message"].replace("\0", "\u2400"), "time": time_us}
        if isinstance(level := line.get("level"), str):
            payload["level"] = level
        if isinstance(metadata := line.get("metadata"), dict) and metadata:
            payload["metadata"] = metadata
        yield encode("log", payload)


def _file(run: FoundRun, path: Path, file: File) -> Strand:
    entry = file.entry
    uid = _file_id(run, entry["id"])
    name = f"{entry['path'].rstrip('/')}/{entry['filename']}"
    kept = ("path", "description", "tags", "bindrs", "metadata", "checksum")
    said = {"uid": uid, "name": entry["filename"], **{key: entry[key] for key in kept}}
    record = ("artifact", {"name": entry["filename"], "uid": uid, "path": entry["path"]})
    read = events(name, "", record).read
    return Strand(f"file {name}", f"file {entry['id']}", read, parcel=Parcel(path, said))


def _file_id(run: FoundRun, text: str) -> str:
    """The file's own, or a number made from it where the server would not take it."""
    is_fit = text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 19
    return text if is_fit else str(int(fingerprint(run.identity, text), 16) % FILE_IDS[-1] + 1)


def _status(experiment: Experiment, idle_s: float) -> Strand:
    """How it ended, if it did. Each state is told once: people may have the last word."""
    status, since = experiment.status, experiment.document.get("status_at")
    if status in STATUSES:
        ended_at = _time_us(experiment.ended_at) or round(experiment.changed_at * 1e6)
        finish = {"status": STATUSES[status], "time": ended_at}
        return events("status", f"status {status} {since} {ended_at}", ("finish", finish))
    changed_at = experiment.changed_at
    if time.time() - changed_at < idle_s:
        begun = experiment.document.get("updated_at")
        return Strand(
            "status", f"status running {since} {begun}", lambda: iter(()), {"resume": True}
        )
    # The original says nothing of ends. Ours does: then its job ended without a word.
    finish = {
        "status": "completed" if status is None else "failed",
        "time": round(changed_at * 1e6),
        "reason": "inferred: nothing was written after that, and no end was noted",
    }
    return events(
        "status", f"status inferred {finish['status']} {finish['time']}", ("finish", finish)
    )


def _time_us(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return as_time_us(text)
    except ValueError:
        return None
