"""Runs of Aspara on disk, as runs and strands."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runyard.artifacts import digest
from runyard.aspara_store.layout import NAME, RunPaths, find_projects, find_runs
from runyard.aspara_store.reading import (
    ProjectAbout,
    StoredArtifact,
    StoredRun,
    read_project,
)
from runyard.aspara_store.reading import (
    Record as StoredRecord,
)
from runyard.aspara_store.rows import Row, decode_row
from runyard.importing.cleaning import clean_map, clean_tags, clean_text
from runyard.importing.source import (
    FoundRun,
    Options,
    Parcel,
    Place,
    Problem,
    Record,
    Strand,
    events,
    fingerprint,
    first_line,
    has_ended,
    last_line,
    running,
)
from runyard.records import Lost, encode_points

FORMAT = "aspara"
TORN = "cut short"  # in the reader's words for a line that is perhaps still being written
LOOKED_AT = 100  # runs, before a directory is taken for something else
EMPTY = "it is empty: no metadata and no rows"
EXIT_CODES = range(-(2**31), 2**31)  # what the server takes
FIRST_SEQ = 2  # of a row: the start is number 1
MAX_PROBLEMS = 20  # of one run, told on its page


def recognise(path: Path) -> bool:
    found = _find_runs(path)
    return any(_is_run(paths) for paths, _ in zip(found, range(LOOKED_AT), strict=False))


def open_source(path: Path, options: Options) -> "AsparaSource":
    return AsparaSource(path, options)


class AsparaSource:
    """A data directory, or one project of it."""

    def __init__(self, path: Path, options: Options) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._options = options
        self._sums: dict[tuple[Any, ...], str] = {}
        self._heights: dict[str, dict[tuple[str | int, ...], int]] = {}  # of archives, by place

    def find(self) -> Iterator[FoundRun]:
        projects: dict[str, ProjectAbout] = {}
        for paths in _find_runs(self._path, self.problems):
            if paths.project not in projects:
                projects[paths.project] = read_project(paths.root, paths.project)
            run = self.describe(paths, projects[paths.project])
            if run:
                yield run

    def describe(self, paths: RunPaths, project: ProjectAbout, known: str = "") -> FoundRun | None:
        """None for a run of which nothing is there yet. `known`: the identity it had before."""
        stored = StoredRun(paths)
        identity = identify(stored, known)
        if not identity:
            self._complain(paths, EMPTY)
            return None
        return FoundRun(
            identity,
            FORMAT,
            self._start(stored, project),
            place_of(paths),
            project=self._options.project or paths.project,
            key=paths.name,
            is_live=stored.is_alive,
            is_doubtful=stored.is_damaged,
        )

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        stored = StoredRun(paths_at(run.place))
        stored.heights = self._heights.setdefault(run.place, {})
        if not stored.is_damaged:  # else it says nothing, also of what it said before
            yield from self._documents(run, stored)
        yield from strands_of_rows(stored)
        for artifact in stored.artifacts():
            if artifact.path:
                yield self._artifact(artifact, artifact.path)
        yield _status(stored, self._options.idle_s)
        yield from problem_strands(stored)
        for text in told_problems(stored):
            self._complain(stored.paths, text)

    def _documents(self, run: FoundRun, stored: StoredRun) -> Iterator[Strand]:
        for name in ("tags", "notes"):
            yield events(name, _name(name, run), (name, {name: run.start[name]}))
        if config := run.start.get("config"):
            yield events("config", _name("config", run), ("config", config))
        summary = self._cleaned(stored, stored.about.summary, "summary")
        if summary:
            yield events("summary", f"summary {fingerprint(summary)}", ("summary", summary))

    def _start(self, stored: StoredRun, project: ProjectAbout) -> dict[str, Any]:
        about, complain = stored.about, partial(self._complain, stored.paths)
        origin = {"format": "Aspara", "path": place_of(stored.paths)}
        start = {
            "source": FORMAT,
            "started_at": _begun_us(stored),
            "tags": clean_tags(about.tags, complain),
            "notes": clean_text(about.notes, "the notes", complain),
            "config": self._cleaned(stored, about.config, "config"),
            "project_tags": clean_tags(project.tags, complain),
            "environment": {
                **self._cleaned(stored, about.environment, "environment"),
                "imported_from": origin,
            },
        }
        return {key: value for key, value in start.items() if value is not None}

    def _cleaned(self, stored: StoredRun, values: Mapping[str, Any], what: str) -> dict[str, Any]:
        return clean_map(values, what, partial(self._complain, stored.paths))

    def _artifact(self, artifact: StoredArtifact, path: Path) -> Strand:
        """Another content under the same name is another strand."""
        said = {
            "name": artifact.name,
            "description": artifact.description,
            "category": artifact.category,
        }
        record = ("artifact", {"name": artifact.name})
        identity = f"artifact {artifact.name} {self._sum(path)}"
        read = events(artifact.name, "", record).read
        return Strand(f"artifact {artifact.name}", identity, read, parcel=Parcel(path, said))

    def _sum(self, path: Path) -> str:
        """Read again only where the file has changed. "" where it cannot be read."""
        try:
            status = path.stat()
            key = (path, status.st_size, status.st_mtime_ns)
            if key not in self._sums:
                self._sums[key] = digest(path)
        except OSError:
            return ""
        return self._sums[key]

    def _complain(self, paths: RunPaths, reason: str) -> None:
        problem = Problem(place_of(paths), reason)
        if problem not in self.problems[-MAX_PROBLEMS:]:
            self.problems.append(problem)


class RowsTail:
    """Its records are numbered by the rows with numbers in them; of an archive each is one point.

    `read_behind` gives the rows behind a place; `step` is that before the first of them.
    """

    def __init__(
        self,
        stored: StoredRun,
        path: Path,
        read_behind: Callable[[int], Iterator[StoredRecord]],
        step: Callable[[], int] = lambda: -1,
    ) -> None:
        self.path = path
        self._stored = stored
        self._read_behind = read_behind
        self._step = step

    def read_after(self, place: Place) -> Iterator[tuple[Place, Record]]:
        self._forget_repeats()
        seq, step = place.seq, place.step
        time_us = place.time_us or self._stored.about.started_us or 0
        for after, row in self._read_behind(place.offset):
            if not row.values:
                continue
            seq += 1
            if row.step is None and seq == FIRST_SEQ:
                step = self._step()
            step = step + 1 if row.step is None else row.step
            time_us = time_us if row.time_us is None else row.time_us
            yield Place(after, seq, step, time_us), _encode(row, step, time_us)

    def _forget_repeats(self) -> None:
        """Those who read on for days hear the same complaints over and over."""
        told = self._stored.problems
        told[:] = list(dict.fromkeys(told))[:LOOKED_AT]

    def read(self, after: int) -> Iterator[Record]:
        return (record for place, record in self.read_after(Place()) if place.seq > after)

    def problems(self) -> Iterator[Strand]:
        return problem_strands(self._stored)


def identify(stored: StoredRun, known: str = "") -> str:
    """The same as long as it is the same run: one that is deleted and written anew is another.

    Old versions and the tracker make runs without an id: those are known by their first row. "" where
    there is neither. What it was `known` by holds unless something contradicts.
    """
    name, line = f"{stored.paths.project}/{stored.paths.name}", _first_row_line(stored.paths)
    by_id = f"{name} {stored.about.run_id}" if stored.about.run_id else ""
    by_row = f"{name} first row {fingerprint(line)}" if line else ""
    is_kept = known in {by_id, by_row} or not by_id
    return known if known and is_kept else by_id or by_row


def strands_of_rows(stored: StoredRun) -> Iterator[Strand]:
    """One for each backend: a run may have been logged with one, and resumed with the other."""
    paths = stored.paths
    if begin := _first_line(paths.rows):
        tail = RowsTail(stored, paths.rows, stored.rows)
        yield Strand("rows", f"rows {fingerprint(begin)}", tail.read, tail=tail)
    if stored.backend == "polars":
        tail = RowsTail(stored, paths.wal, stored.points, partial(_last_step, stored))
        yield Strand("points", "points", tail.read, tail=tail)


def _last_step(stored: StoredRun) -> int:
    """In the rows of the backend `jsonl`; -1 where there are none."""
    step = -1
    for _, row in stored.rows():
        if row.values:
            step = step + 1 if row.step is None else row.step
    return step


def problem_strands(stored: StoredRun) -> Iterator[Strand]:
    """On the run's page, among its log lines: it shows what could be read, and why no more."""
    for text in told_problems(stored):
        line = {"level": "error", "message": f"Left out: {text}"}
        identity = f"problem {fingerprint(text)}"
        yield events(identity, identity, ("log", line))


def told_problems(stored: StoredRun) -> list[str]:
    """A last line cut short is none: somebody is perhaps writing it."""
    told = [
        f"{path.name}: {reason}" + (f" (at byte {offset:,})" if offset else "")
        for path, offset, reason in stored.problems[:LOOKED_AT]
        if TORN not in reason
    ]
    return list(dict.fromkeys(told))[:MAX_PROBLEMS]


def _encode(row: Row, step: int, time_us: int) -> Record:
    try:
        return encode_points(tuple(row.values), list(row.values.values()), step, time_us)
    except ValueError as error:
        return Lost(1, str(error))


def _status(stored: StoredRun, idle_s: float) -> Strand:
    """How it ended, if it did. Each state is told once: people may have the last word."""
    about = stored.about
    if about.status:
        code = about.exit_code if about.exit_code in EXIT_CODES else None
        end = {"status": about.status, "exit_code": code, "time": _ended_us(stored)}
        finish = {**end, "reason": clean_text(about.reason, "", lambda _: None)}
        return events("status", f"status {fingerprint(finish)}", ("finish", finish))
    last_us = _last_us(stored)
    is_young = time.time() - last_us / 1e6 < idle_s and not stored.was_killed
    if stored.is_alive or is_young:
        # What it runs on is noted anew each time it is resumed.
        return running(fingerprint(about.environment), last_us)
    reason = "inferred: nothing was written after that, and no end was noted"
    finish = {"status": "failed", "time": last_us, "reason": reason}
    inferred = events("status", f"status inferred {last_us}", ("finish", finish))
    return inferred._replace(is_there=partial(has_ended, last_us) if stored.is_damaged else None)


def place_of(paths: RunPaths) -> str:
    return str(paths.folder / paths.name)


def paths_at(place: str) -> RunPaths:
    path = Path(place)
    return RunPaths(path.parent.parent, path.parent.name, path.name)


def _find_runs(path: Path, problems: list[Problem] | None = None) -> Iterator[RunPaths]:
    """Of a data directory, else of a project's. `problems`: takes what could not be looked into."""
    try:
        places = [(path, project) for project in find_projects(path)]
    except OSError:
        return
    if NAME.fullmatch(path.name):
        places.append((path.parent, path.name))
    for place in places:
        try:
            yield from find_runs(*place)
        except OSError as error:
            if problems is not None:
                problems.append(Problem(str(Path(*place)), str(error)))


def _is_run(paths: RunPaths) -> bool:
    if StoredRun(paths).about.run_id:
        return True
    return bool(_first_row_line(paths))


def _first_row_line(paths: RunPaths) -> bytes:
    """b"" where the first line is none of a row."""
    for path in (paths.rows, paths.wal):
        line = _first_line(path)
        try:
            if line and decode_row(line):
                return line
        except ValueError:
            continue
    return b""


def _first_line(path: Path) -> bytes:
    try:
        return first_line(path)
    except OSError:
        return b""


def _begun_us(stored: StoredRun) -> int | None:
    if stored.about.started_us is not None:
        return stored.about.started_us
    line = _first_row_line(stored.paths)
    row = decode_row(line) if line else None
    return row.time_us if row else None


def _ended_us(stored: StoredRun) -> int:
    known = stored.about.finished_us
    return _last_us(stored) if known is None else known


def _last_us(stored: StoredRun) -> int:
    """When something was logged last, as the rows say: a copy's files are all young."""
    newest = stored.paths.rows if stored.backend == "jsonl" else stored.paths.wal
    times = [_last_time_us(path) for path in {newest, stored.paths.rows}]
    if _last_time_us(newest) is None:
        times.append(round(stored.changed_at * 1e6))
    return max(time_us for time_us in times if time_us is not None)


def _last_time_us(path: Path) -> int | None:
    try:
        row = decode_row(last_line(path))
    except (OSError, ValueError):
        return None
    return row.time_us if row else None


def _name(key: str, run: FoundRun) -> str:
    return f"{key} {fingerprint(run.start[key])}"
