"""What MLflow tracked, as runs and strands: experiments are projects.

Reads `mlruns/` (needs PyYAML) and SQLite databases; MLflow itself is not needed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from runyard.artifacts import digest
from runyard.importing.cleaning import clean_map, clean_tags, clean_text
from runyard.importing.foreign import (
    fit_name,
    give_up,
    plain,
    show,
    start_of,
    status_of,
    walk_files,
)
from runyard.importing.mlflow_artifacts import find_home
from runyard.importing.mlflow_database import DatabaseStore, find_databases
from runyard.importing.mlflow_files import FileStore, find_stores
from runyard.importing.mlflow_store import PREFIX, Metrics, Store, StoredRun, ms_to_us
from runyard.importing.source import (
    FoundRun,
    Options,
    Parcel,
    Problem,
    Record,
    Strand,
    events,
    file_number,
    fingerprint,
    state,
)
from runyard.values import MAX_NAME_LENGTH, as_text

FORMAT = "mlflow"
NOTES, PARENT = f"{PREFIX}note.content", f"{PREFIX}parentRunId"
TOLD = ("user", "source.name", "source.type", "source.git.commit", "source.git.branch")


def recognise(path: Path) -> bool:
    return bool(candidates(path))


def candidates(path: Path) -> list[Path]:
    return [*find_stores(path), *find_databases(path)]


def open_source(path: Path, options: Options) -> "MLflowSource":
    """Raises: ValueError without PyYAML where that is needed."""
    return MLflowSource(path, options)


class MLflowSource:
    """A directory with `mlruns/` or a database in it, or one of them."""

    def __init__(self, path: Path, options: Options) -> None:
        self.problems: list[Problem] = []
        self._options = options
        self._root = path if path.is_dir() else path.parent
        files = [FileStore(one, self.problems) for one in find_stores(path)]
        databases = [DatabaseStore(one, self.problems) for one in find_databases(path)]
        self._stores: list[Store] = [*files, *databases]
        self._found: dict[str, tuple[Store, StoredRun]] = {}  # by the run's identity

    def find(self) -> Iterator[FoundRun]:
        for store in self._stores:
            runs = list(store.runs())
            names = {run.id: run.name for run in runs}
            deleted = sum(run.is_deleted for run in runs)
            if deleted:
                reason = f"{deleted:,} deleted run{'' if deleted == 1 else 's'}"
                self.problems.append(Problem(show(store.path), reason, is_loss=False))
            for run in runs:
                if not run.is_deleted:
                    yield self._describe(store, run, names)

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        store, stored = self._found[run.identity]
        for key in ("tags", "notes"):
            if said := run.start.get(key):
                yield state(key, f"{key} {fingerprint(said)}", {key: said})
        if config := run.start.get("config"):
            yield events("config", f"config {fingerprint(config)}", ("config", config))
        for metrics in store.metrics(stored):
            complain = partial(self._complain, f"{run.place}: {metrics.name}")
            read = partial(_read, metrics, complain)
            yield Strand(metrics.name, metrics.identity, read)
            self.problems += [Problem(run.place, *told) for told in metrics.told()]
        yield from self._artifacts(run, stored)
        last_us = ms_to_us(stored.ended_ms) or store.last_us(stored)
        yield status_of(last_us, self._options.idle_s, stored.ended_as, inferred="failed")

    def _describe(self, store: Store, run: StoredRun, names: dict[str, str]) -> FoundRun:
        complain = partial(self._complain, f"{show(store.path)}: {run.id}")
        tags, params = store.tags(run), store.params(run)
        project = self._options.project or run.experiment
        start = start_of(
            "MLflow",
            show(store.path),
            project,
            [run.name or tags.get(f"{PREFIX}runName", "") or run.id[:8]],
            source="aspara",
            started_at=ms_to_us(run.started_ms),
            tags=clean_tags(_tags(tags, names, complain), complain),
            notes=clean_text(tags.get(NOTES, ""), "the notes", complain),
            config=clean_map({k: plain(v) for k, v in params.items()}, "param", complain),
            environment={"mlflow": _origin(run, tags)},
        )
        identity = as_text(f"{store.kind} {self._options.project} {run.id}", "identity")
        self._found[identity] = (store, run)
        return FoundRun(identity, FORMAT, start, f"{show(store.path)}: {run.id}")

    def _artifacts(self, run: FoundRun, stored: StoredRun) -> Iterator[Strand]:
        home, reason, is_loss = find_home(stored, self._root)
        if reason:
            self._complain(run.place, reason, is_loss=is_loss)
        if home is None:
            return
        for path in walk_files(home, self.problems):
            name = show(path.relative_to(home))
            try:
                yield _artifact(run, path, name)
            except OSError as error:
                self._complain(run.place, f"artifact {name}: {error.strerror}")

    def _complain(self, place: str, reason: str, *, is_loss: bool = True) -> None:
        self.problems.append(Problem(place, reason, is_loss))


def _read(metrics: Metrics, complain: Callable[[str], None], after: int) -> Iterator[Record]:
    return give_up(metrics.read(after), complain)


def _tags(tags: dict[str, str], names: dict[str, str], complain: Any) -> list[str]:
    """`key=value`, or the key alone; those of MLflow itself are told elsewhere."""
    told = []
    if parent := tags.get(PARENT):
        told.append(f"parent={fit_name(names.get(parent) or parent)}"[:MAX_NAME_LENGTH])
    for key, value in tags.items():
        if key.startswith(PREFIX):
            continue
        tag = f"{key}={value}" if value else key
        if len(tag) > MAX_NAME_LENGTH:
            complain(f"the tag {key[:40]!r}: it has {len(tag):,} characters")
        else:
            told.append(tag.replace("\0", "\u2400"))
    return told


def _origin(run: StoredRun, tags: dict[str, str]) -> dict[str, str]:
    said = {name: tags.get(PREFIX + name, "")[:1_000] for name in TOLD}
    said |= {"run_id": run.id, "parent_run_id": tags.get(PARENT, "")[:100]}
    return {key: value.replace("\0", "\u2400") for key, value in said.items() if value}


def _artifact(run: FoundRun, path: Path, name: str) -> Strand:
    """Another content under the same name is another strand. Raises: OSError."""
    checksum = digest(path)
    folder, _, own = name.rpartition("/")
    uid = file_number(run.identity, name, checksum)
    said = {"uid": uid, "name": own, "path": f"/{folder}", "checksum": checksum}
    record = ("artifact", {"name": own, "uid": uid, "path": f"/{folder}"})
    read = events(name, "", record).read
    return Strand(
        f"artifact {name}", f"artifact {name} {checksum}", read, parcel=Parcel(path, said)
    )
