"""A directory of ML-Dash experiments that is watched.

An experiment has a dozen files and nothing that tells of all of them. So those that have changed
lately are looked at each time, the others by their `experiment.json`, and all of them in turns.
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runyard import life
from runyard.dash.names import OWN_FOLDERS
from runyard.dash.reading import ABOUT_FILE, LIFE_FILE
from runyard.files.documents import locked, replace_document
from runyard.importing.dash import DashSource
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

HOT_S = 60.0  # after its last change
TURNS = 8  # looks in which every experiment is looked at once
GROWING = frozenset({"data.jsonl", "logs.jsonl"})
LOOKED_INTO = frozenset({"logs", "metrics", "files", "tracks"})
WORDS = {"tags": "tags", "readme": "description"}  # what edits call them, and the file


class DashTree:
    def __init__(self, root: Path, options: Options) -> None:
        self.root = root
        self.source = DashSource(root, options)
        self._folders: dict[str, Mark] = {}  # those with experiments or folders in them
        self._experiments: dict[str, _Experiment] = {}
        self._turn = 0

    def poll(self) -> Iterator[Change]:
        self._look_for_experiments()
        self._turn = (self._turn + 1) % TURNS
        for number, (path, experiment) in enumerate(list(self._experiments.items())):
            change = experiment.look(is_turn=number % TURNS == self._turn)
            if change:
                yield change
                if change.kind == "gone":
                    del self._experiments[path]

    def projects(self) -> Iterator[Words]:
        """They have no file of their own."""
        return iter(())

    def write_project(self, place: str, values: Mapping[str, Any]) -> None:
        """As above."""

    def problems(self) -> list[str]:
        found, self.source.problems = self.source.problems, []
        return [f"{place}: {reason}" for place, reason, is_loss in found if is_loss]

    def _look_for_experiments(self) -> None:
        waiting = [str(self.root), *self._folders]
        seen = set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            mark, now_ns = mark_of(path), time.time_ns()
            if mark == NOTHING:
                self._folders.pop(path, None)
            elif mark != self._folders.get(path):
                waiting += self._list(path)
                self._folders[path] = mark if is_settled(mark, now_ns) else NOTHING

    def _list(self, path: str) -> list[str]:
        """The folders below. An experiment is noted; what is its own is none of them."""
        folders, is_experiment = [], False
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name == ABOUT_FILE:
                        is_experiment = True
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            return []
        if not is_experiment:
            return folders
        if path not in self._experiments:
            self._experiments[path] = _Experiment(DashRun(self.source, path))
        return [folder for folder in folders if Path(folder).name not in OWN_FOLDERS]


class DashRun:
    """An experiment as the watcher sees it."""

    def __init__(self, source: DashSource, path: str) -> None:
        self.place = path
        self._source = source

    def describe(self, known: str) -> FoundRun | None:  # noqa: ARG002 -- its path says which it is
        return self._source.describe(Path(self.place))

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        return self._source.strands(run)

    def is_alive(self) -> bool:
        return life.is_held(Path(self.place) / LIFE_FILE)

    def write_back(self, values: Mapping[str, Any]) -> None:
        """One whose files are gone stays gone."""
        path = Path(self.place) / ABOUT_FILE
        news = {WORDS[name]: value for name, value in values.items() if name in WORDS}
        if news and path.exists():
            with locked(path.with_name(".experiment.lock")):
                replace_document(path, lambda found: found | news)


class _Experiment:
    """`growing` and `others`: its files and their marks."""

    def __init__(self, run: DashRun) -> None:
        self._run = run
        self._about = f"{run.place}/{ABOUT_FILE}"
        self._about_mark = NOTHING
        self._growing: dict[str, Mark] = {}
        self._others: dict[str, Mark] = {}
        self._hot_until = 0.0

    def look(self, *, is_turn: bool) -> Change | None:
        about = mark_of(self._about)
        if about == NOTHING:
            return Change(self._run, "gone")
        is_same = about == self._about_mark
        if is_same and not is_turn and time.monotonic() > self._hot_until:
            return None
        self._about_mark = about
        growing, others = self._list()
        if is_same and growing == self._growing and others == self._others:
            return None
        is_rows = is_same and others == self._others and _are_same(growing, self._growing)
        marks = [about, *growing.values(), *others.values()]
        self._growing, self._others = growing, others
        self._hot_until = time.monotonic() + HOT_S
        changed_at = max(mark[2] for mark in marks) / 1e9
        return Change(self._run, "rows" if is_rows else "documents", changed_at)

    def _list(self) -> tuple[dict[str, Mark], dict[str, Mark]]:
        growing: dict[str, Mark] = {}
        others = {name: mark_of(name) for name in (f"{self._run.place}/parameters.json",)}
        for name in LOOKED_INTO:
            for folder, _, files in os.walk(f"{self._run.place}/{name}"):
                for file in files:
                    path = f"{folder}/{file}"
                    if file in GROWING:
                        growing[path] = mark_of(path)
                    elif file.endswith(".json"):
                        others[path] = mark_of(path)
                if name == "files":
                    break  # its list tells of all that lies below
        return growing, others


def _are_same(now: Mapping[str, Mark], before: Mapping[str, Mark]) -> bool:
    """Whether they have only grown."""
    is_same = now.keys() == before.keys()
    return is_same and all(has_only_grown(now[path], before[path]) for path in now)
