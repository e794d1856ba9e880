"""Experiments of ML-Dash on disk, as runs and strands."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runyard.dash.names import UNNAMED
from runyard.dash.reading import (
    ABOUT_FILE,
    Experiment,
    File,
    Stream,
    find_experiments,
    read_experiment,
)
from runyard.files.documents import read_document
from runyard.files.probing import is_file
from runyard.importing.cleaning import clean_map, clean_tags, clean_text
from runyard.importing.dash_tails import TORN, GrowingLines
from runyard.importing.source import (
    Ask,
    FoundRun,
    Options,
    Parcel,
    Problem,
    Record,
    Strand,
    encode,
    events,
    file_number,
    fingerprint,
    first_line,
    has_ended,
    last_line,
    running,
    state,
)
from runyard.spool import read_meta
from runyard.values import as_time_us

FORMAT = "ml_dash"
DEFAULT_PROJECT = "scratch"  # the original's, too
STATUSES = {"COMPLETED": "completed", "FAILED": "failed", "CANCELLED": "cancelled"}
TIMES_S = range(-62_135_596_800, 253_402_300_800)  # what a calendar can show

Rows = Callable[..., Iterator[tuple[int, dict[str, Any]]]]  # of a stream, from a byte on


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
        unread: list[str] = []
        for path in find_experiments(self._path, unread):
            run = self.describe(path)
            if run:
                yield run
        self.problems += (Problem(str(self._path), text) for text in unread)

    def describe(self, path: Path) -> FoundRun | None:
        """None for what cannot be a run, which is a problem then."""
        try:
            experiment = read_experiment(path, self._root)
        except OSError as error:
            self.problems.append(Problem(str(path), str(error)))
            return None
        if experiment.about.name:
            return self._describe(experiment)
        self.problems.append(Problem(str(path), "it has no name"))
        return None

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        experiment = read_experiment(Path(run.place), self._root)
        yield from _describe_again(run, experiment)
        yield from self._growing(experiment)
        for file in experiment.files():
            if not file.is_deleted and file.path:
                yield _file(run, file.path, file)
        yield _status(experiment, self._idle_s)
        self.problems += (
            Problem(run.place, text, is_loss=TORN not in text)
            for text in dict.fromkeys(experiment.problems)
        )

    def _growing(self, experiment: Experiment) -> Iterator[Strand]:
        """Rows and log lines, but for those that a job is yet to send to the server itself."""
        waiting = [meta for path in experiment.senders if (meta := read_meta(path))]
        uids = {meta.server_uid for meta in waiting} - {""}
        if waiting and not uids:
            reason = f"the job sends its rows and log lines to {waiting[-1].url} itself"
            self.problems.append(Problem(str(experiment.path), reason, is_loss=False))
            return
        for strand in chain(self._series(experiment), _logs(experiment)):
            if experiment.senders:
                is_there = partial(_is_sent, uids, strand.is_there)
                strand = strand._replace(is_there=is_there, is_shared=True)  # noqa: PLW2901
            yield strand

    def _series(self, experiment: Experiment) -> Iterator[Strand]:
        for stream in experiment.streams():
            yield from self._rows(experiment, stream, stream.name or "", experiment.rows)
        for track in experiment.tracks():
            name = f"tracks/{track.name}"
            yield from self._rows(experiment, track, name, experiment.track_rows)

    def _describe(self, experiment: Experiment) -> FoundRun:
        about, complain = experiment.about, partial(self._leave_out, experiment)
        owner = self._owner or about.owner
        named = "" if "{" in about.project else about.project  # a template that was never filled in
        project = self._project or named or DEFAULT_PROJECT
        is_known = experiment.status is not None
        start = {
            "source": FORMAT,
            "namespace": owner,
            "project_name": project,
            "folder": about.folder,
            "name": about.name,
            "started_at": _time_us(experiment.started_at or experiment.created_at),
            "config": clean_map(experiment.params, "param", complain),
            "environment": {
                "imported_from": {"format": "ML-Dash", "path": str(experiment.path)},
                "status_source": "recorded" if is_known else "inferred",
            },
            **self._words(experiment),
        }
        start = {key: value for key, value in start.items() if value not in (None, "", {}, [])}
        path = "/".join((owner, project, about.folder, about.name))
        identity = f"{path} {experiment.created_at or ''}"
        return FoundRun(identity, FORMAT, start, str(experiment.path))

    def _words(self, experiment: Experiment) -> dict[str, Any]:
        about, complain = experiment.about, partial(self._leave_out, experiment)
        return {
            "readme": clean_text(about.readme or "", "the readme", complain),
            "tags": clean_tags(about.tags, complain),
            "bindrs": clean_tags(about.bindrs, complain, "bindrs"),
            "metadata": clean_map(about.metadata or {}, "metadata", complain),
        }

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
        tail = GrowingLines(
            experiment,
            stream.path,
            partial(rows, stream),
            partial(_encode_row, name),
            first=[encode("stream", said)],
            begun_us=_time_us(stream.created_at or experiment.created_at) or 0,
        )
        yield Strand(
            f"rows of {name or 'no name'}",
            f"rows {name} {fingerprint(begin)}",
            tail.read,
            is_there=partial(_has_rows, stream, name, rows),
            tail=tail,
        )


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
        yield state("words", f"words {fingerprint(said)}", given)
    if config := run.start.get("config"):
        # Back to an earlier state is a state of its own: the file says when it was written.
        with contextlib.suppress(OSError, ValueError):
            written = (read_document(experiment.path / "parameters.json") or {}).get("updatedAt")
            yield events("params", f"params {fingerprint(config, written)}", ("config", config))


def _encode_row(name: str, row: Mapping[str, Any], before_us: int) -> tuple[int, Record]:
    time_us = _row_time_us(row, before_us)
    return time_us, encode("row", {"stream": name, "fields": row["data"], "time": time_us})


def _row_time_us(row: Mapping[str, Any], before_us: int) -> int:
    """When it was written; else when it was measured; else as the row before it."""
    said = _time_us(row.get("createdAt"))
    if said is not None:
        return said
    seconds = row["data"].get("_ts")
    is_time = isinstance(seconds, (int, float)) and TIMES_S[0] <= seconds <= TIMES_S[-1]
    return round(seconds * 1e6) if is_time else before_us


def _has_rows(stream: Stream, name: str, rows: Rows, ask: Ask) -> bool:
    """Whether the stream begins with the same row."""
    page = ask(f"metrics/{quote(name or UNNAMED)}/data?startIndex=0&limit=1").get("data")
    ours = next((row["data"] for _, row in rows(stream)), None)
    theirs = page[0].get("data") if page else None
    if not isinstance(theirs, dict) or ours is None or theirs.keys() != ours.keys():
        return False
    if "_ts" in ours:
        return bool(theirs["_ts"] == ours["_ts"])
    return fingerprint(theirs) == fingerprint(ours)


def _is_sent(uids: set[str], has_begin: Callable[[Ask], bool] | None, ask: Ask) -> bool:
    """Whether the run is one that a job still sends to; else whether its first line is there."""
    is_meant = bool(uids) and ask("").get("experiment", {}).get("uid") in uids
    return is_meant or (has_begin is not None and has_begin(ask))


def _has_log(experiment: Experiment, ask: Ask) -> bool:
    page = ask("logs?limit=1&orderBy=sequenceNumber&order=asc").get("logs")
    ours = next((line for _, line in experiment.logs()), None)
    if not page or ours is None or page[0].get("message") != ours["message"]:
        return False
    return _time_us(page[0].get("timestamp")) == _time_us(ours.get("timestamp"))


def _logs(experiment: Experiment) -> Iterator[Strand]:
    path = experiment.path / "logs" / "logs.jsonl"
    if is_file(path) and (begin := first_line(path)):
        begun_us = _time_us(experiment.created_at) or 0
        tail = GrowingLines(experiment, path, experiment.logs, _encode_line, begun_us=begun_us)
        is_there = partial(_has_log, experiment)
        yield Strand("log", f"log {fingerprint(begin)}", tail.read, is_there=is_there, tail=tail)


def _encode_line(line: Mapping[str, Any], before_us: int) -> tuple[int, Record]:
    said = _time_us(line.get("timestamp"))
    time_us = before_us if said is None else said
    payload = {"message": line["message"].replace("\0", "\u2400"), "time": time_us}
    if isinstance(level := line.get("level"), str):
        payload["level"] = level
    if isinstance(metadata := line.get("metadata"), dict) and metadata:
        payload["metadata"] = metadata
    return time_us, encode("log", payload)


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
    return text if is_fit else file_number(run.identity, text)


def _status(experiment: Experiment, idle_s: float) -> Strand:
    """How it ended, if it did. Each state is told once: people may have the last word."""
    status, since = experiment.status, experiment.document.get("status_at")
    last_us = _last_us(experiment)
    if status in STATUSES:
        finish = {"status": STATUSES[status], "time": _time_us(experiment.ended_at) or last_us}
        reason = experiment.document.get("reason")
        if isinstance(reason, str) and reason:
            finish["reason"] = reason[:500].replace("\0", "\u2400")
        return events("status", f"status {status} {since} {finish['time']}", ("finish", finish))
    return _inferred_status(experiment, last_us, idle_s)


def _inferred_status(experiment: Experiment, last_us: int, idle_s: float) -> Strand:
    """The original says nothing of ends. Ours does: then its job ended without a word."""
    status, since = experiment.status, experiment.document.get("status_at")
    is_young = time.time() - last_us / 1e6 < idle_s and not experiment.was_killed
    if experiment.is_alive or is_young:
        begun = experiment.document.get("updated_at")
        return running(f"{since} {begun}", last_us)
    finish = {
        "status": "completed" if status is None else "failed",
        "time": last_us,
        "reason": "inferred: nothing was written after that, and no end was noted",
    }
    ended = events("status", f"status inferred {finish['status']} {last_us}", ("finish", finish))
    return ended._replace(is_there=partial(has_ended, last_us))


def _last_us(experiment: Experiment) -> int:
    """When something was logged last, as the lines say: a copy's files are all young."""
    said = [experiment.created_at, experiment.started_at, experiment.document.get("updated_at")]
    said += [file.entry["updatedAt"] for file in experiment.files()]
    paths = [stream.path for stream in (*experiment.streams(), *experiment.tracks())]
    for path in [*paths, experiment.path / "logs" / "logs.jsonl"]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            line = json.loads(last_line(path))
            said += [line.get("createdAt"), line.get("timestamp")] if isinstance(line, dict) else []
    known = [time_us for text in said if (time_us := _time_us(text)) is not None]
    return max(known, default=round(experiment.changed_at * 1e6))


def _time_us(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return as_time_us(text)
    except ValueError:
        return None
