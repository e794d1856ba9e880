"""An Aspara data directory that is watched.

Documents are replaced, which changes the time of their directory: only then it is listed again. Rows
are appended: for each run that is one question to the system.
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runyard import life
from runyard.aspara_store import metadata
from runyard.aspara_store.layout import NAME, RunPaths, find_projects, run_of_file
from runyard.aspara_store.reading import ProjectAbout, read_project
from runyard.importing.aspara import EMPTY, AsparaSource, place_of
from runyard.importing.source import FoundRun, Options, Strand
from runyard.watching.changes import (
    NOTHING,
    Change,
    Mark,
    Words,
    has_only_grown,
    is_settled,
    mark_of,
)


class AsparaTree:
    """`root`: a data directory, or one project of it."""

    def __init__(self, root: Path, options: Options) -> None:
        self.root = root
        self.source = AsparaSource(root, options)
        self._is_project = _has_runs(root)
        self._projects: dict[str, _Project] = {}
        self._root_mark = NOTHING

    def poll(self) -> Iterator[Change]:
        self._look_for_projects()
        for name, project in list(self._projects.items()):
            yield from project.poll()
            if project.is_gone:
                del self._projects[name]

    def projects(self) -> Iterator[Words]:
        for project in self._projects.values():
            if project.has_news:
                project.has_news = False
                yield project.words()

    def write_project(self, place: str, values: Mapping[str, Any]) -> None:
        path = Path(place)
        metadata.edit_project(
            path.parent, path.name, tags=values.get("tags"), notes=values.get("notes")
        )

    def problems(self) -> list[str]:
        found, self.source.problems = self.source.problems, []
        return [f"{place}: {reason}" for place, reason, _ in found if reason != EMPTY]

    def _look_for_projects(self) -> None:
        if self._is_project:
            self._add(self.root.parent, self.root.name)
            return
        mark, now_ns = mark_of(str(self.root)), time.time_ns()
        if mark == self._root_mark:
            return
        for name in find_projects(self.root):
            self._add(self.root, name)
        self._root_mark = mark if is_settled(mark, now_ns) else NOTHING

    def _add(self, root: Path, name: str) -> None:
        if name not in self._projects:
            self._projects[name] = _Project(self.source, root, name)


class AsparaRun:
    """A run as the watcher sees it."""

    def __init__(self, project: "_Project", paths: RunPaths) -> None:
        self.place = place_of(paths)
        self._project = project
        self._paths = paths

    def describe(self, known: str) -> FoundRun | None:
        return self._project.source.describe(self._paths, self._project.about, known)

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        return self._project.source.strands(run)

    def is_alive(self) -> bool:
        return life.is_held(self._paths.life)

    def write_back(self, values: Mapping[str, Any]) -> None:
        """A run whose files are gone stays gone."""
        if self._paths.exists():
            tags, notes = values.get("tags"), values.get("notes")
            metadata.edit_run(self._paths, tags=tags, notes=notes)


class _Marks:
    """Of the files of a run: `rows` of those that grow, `documents` of what is replaced."""

    __slots__ = ("documents", "paths", "rows", "run")

    def __init__(self, run: AsparaRun) -> None:
        self.run = run
        self.paths: tuple[str, ...] = ()
        self.rows: tuple[Mark, ...] = ()
        self.documents: tuple[Mark, ...] = ()


class _Project:
    def __init__(self, source: AsparaSource, root: Path, name: str) -> None:
        self.source = source
        self.is_gone = False
        self.has_news = True  # one without words may be given some
        self.about = ProjectAbout((), "")
        self._root, self._name = root, name
        self._path = str(root / name)
        self._about_mark = NOTHING
        self._mark = NOTHING
        self._runs: dict[str, _Marks] = {}

    def words(self) -> Words:
        values = {"tags": list(self.about.tags), "notes": self.about.notes}
        return Words(self._path, self._name, values)

    def poll(self) -> Iterator[Change]:
        mark, now_ns = mark_of(self._path), time.time_ns()
        if mark != self._mark:
            yield from self._list()
            self._mark = mark if is_settled(mark, now_ns) else NOTHING
        else:
            yield from self._compare_rows()

    def _compare_rows(self) -> Iterator[Change]:
        for marks in self._runs.values():
            rows = tuple(map(mark_of, marks.paths))
            if rows != marks.rows:
                is_rows = all(map(has_only_grown, rows, marks.rows))
                marks.rows = rows
                yield Change(marks.run, "rows" if is_rows else "documents", _newest(rows))

    def _list(self) -> Iterator[Change]:
        found = self._read_listing()
        if found is None:
            self.is_gone = True
            found = {}
        for name in [name for name in self._runs if name not in found]:
            yield Change(self._runs.pop(name).run, "gone")
        for name, files in found.items():
            yield from self._compare(name, files)

    def _read_listing(self) -> dict[str, dict[str, Mark]] | None:
        """The files of each run with their marks; None if the project is gone."""
        found: dict[str, dict[str, Mark]] = {}
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if entry.name == "metadata.json":
                        self._look_at_about(mark_of(entry.path))
                    elif name := run_of_file(entry.name):
                        found.setdefault(name, {})[entry.path] = mark_of(entry.path)
        except FileNotFoundError:
            return None
        return found

    def _look_at_about(self, mark: Mark) -> None:
        if mark != self._about_mark:
            self._about_mark = mark
            self.about = read_project(self._root, self._name)
            self.has_news = True

    def _compare(self, name: str, files: dict[str, Mark]) -> Iterator[Change]:
        marks = self._runs.get(name)
        if marks is None:
            run = AsparaRun(self, RunPaths(self._root, self._name, name))
            marks = self._runs[name] = _Marks(run)
        growing = {path: mark for path, mark in files.items() if path.endswith(".jsonl")}
        documents = tuple(mark for path, mark in sorted(files.items()) if path not in growing)
        paths, rows = tuple(sorted(growing)), tuple(growing[path] for path in sorted(growing))
        is_same = documents == marks.documents and paths == marks.paths
        is_rows_only = is_same and all(map(has_only_grown, rows, marks.rows))
        if not is_rows_only or rows != marks.rows:
            marks.paths, marks.rows, marks.documents = paths, rows, documents
            kind = "rows" if is_rows_only else "documents"
            yield Change(marks.run, kind, _newest((*rows, *documents)))  # type: ignore[arg-type]


def _newest(marks: tuple[Mark, ...]) -> float:
    return max((mark[2] for mark in marks), default=0) / 1e9


def _has_runs(path: Path) -> bool:
    """Whether it is a project's directory: its runs lie in it, not in directories below."""
    if not NAME.fullmatch(path.name):
        return False
    try:
        with os.scandir(path) as entries:
            return any(run_of_file(entry.name) for entry in entries)
    except OSError:
        return False
