"""MLflow's file store: `mlruns/<experiment>/<run>/`, a file for each metric, param and tag."""

from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from runyard.files.probing import open_file
from runyard.importing.foreign import show, walk_files
from runyard.importing.mlflow_store import (
    ENDS,
    PREFIX,
    Metrics,
    StoredRun,
    encode_metric,
    ms_to_us,
)
from runyard.importing.source import Problem, Record, last_line
from runyard.records import Lost

ABOUT = "meta.yaml"
STORE, TRASH = "mlruns", ".trash"
STATUSES = ["", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]  # by MLflow's numbers
MAX_ABOUT_BYTES = 64 * 1024
MAX_LINE_BYTES = 4096
MAX_WORD_BYTES = 1024**2
NOT_RUNS = {"models": "models", "traces": "traces", "datasets": "", "tags": ""}


def find_stores(path: Path) -> list[Path]:
    """The path itself, or `mlruns` in it."""
    return [one for one in (path, path / STORE) if any(_experiments(one, []))]


def _experiments(path: Path, problems: list[Problem]) -> Iterator[Path]:
    """`problems`: takes what could not be looked into."""
    try:
        homes = sorted(path.iterdir())
    except OSError:
        return
    for home in homes:
        try:
            if home.name != TRASH and _is_own(home) and _is_experiment(home / ABOUT):
                yield home
        except OSError as error:
            problems.append(Problem(show(home), f"it cannot be read: {error.strerror}"))


def _is_experiment(about: Path) -> bool:
    """Raises: OSError."""
    try:
        with open_file(about) as file:
            return b"experiment_id:" in file.read(MAX_ABOUT_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_own(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


class FileStore:
    kind = "files"

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        if find_spec("yaml") is None:
            raise ValueError("MLflow's files need PyYAML: pip install 'runyard[mlflow]'")
        self.path = path
        self._problems = problems

    def runs(self) -> Iterator[StoredRun]:
        if trashed := sum(1 for _ in self.path.glob(f"{TRASH}/*/{ABOUT}")):
            self._leave_out(self.path, f"{trashed:,} deleted experiment(s)", is_loss=False)
        for experiment in _experiments(self.path, self._problems):
            about = self._read_about(experiment)
            try:
                yield from self._runs_of(experiment, about) if about is not None else ()
            except OSError as error:
                self._leave_out(experiment, str(error))

    def _runs_of(self, experiment: Path, about: dict[str, Any]) -> Iterator[StoredRun]:
        name = about.get("name")
        is_deleted = about.get("lifecycle_stage") == "deleted"
        for home in sorted(path for path in experiment.iterdir() if _is_own(path)):
            if home.name in NOT_RUNS:
                if NOT_RUNS[home.name] and any(home.iterdir()):
                    self._leave_out(home, f"MLflow's {home.name}", is_loss=False)
                continue
            said = self._read_about(home)
            if said is not None:
                experiment_name = name if isinstance(name, str) and name else experiment.name
                yield _describe(home, said, experiment_name, is_deleted=is_deleted)

    def _read_about(self, home: Path) -> dict[str, Any] | None:
        import yaml  # noqa: PLC0415 -- an extra

        try:
            with (home / ABOUT).open("rb") as file:
                text = file.read(MAX_ABOUT_BYTES + 1)
            if len(text) > MAX_ABOUT_BYTES:
                raise ValueError("it is too long")
            about = yaml.safe_load(text)
            if isinstance(about, dict):
                return about
            raise ValueError("it is no map")
        except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())[:200]
            self._leave_out(home, f"{ABOUT} cannot be read: {reason}")
            return None

    def _leave_out(self, place: Path, reason: str, *, is_loss: bool = True) -> None:
        self._problems.append(Problem(show(place), reason, is_loss))

    def tags(self, run: StoredRun) -> dict[str, str]:
        return self._read_words(run, "tags")

    def params(self, run: StoredRun) -> dict[str, str]:
        return self._read_words(run, "params")

    def _read_words(self, run: StoredRun, folder: str) -> dict[str, str]:
        words = {}
        for name, path in _files(run, folder):
            try:
                with path.open("rb") as file:
                    text = file.read(MAX_WORD_BYTES + 1)
            except OSError as error:
                self._leave_out(path, str(error.strerror))
                continue
            if len(text) > MAX_WORD_BYTES:
                self._leave_out(path, "it is too long")
            elif name.startswith(PREFIX) or folder == "params" or len(text) < MAX_LINE_BYTES:
                words[name] = text.decode("utf-8", "replace")
            else:
                self._leave_out(path, "the tag is too long")
        return words

    def metrics(self, run: StoredRun) -> Iterator[Metrics]:
        default_us = ms_to_us(run.started_ms) or 0
        for name, path in _files(run, "metrics"):
            yield MetricFile(name, path, default_us)

    def last_us(self, run: StoredRun) -> int:
        known = [ms_to_us(run.started_ms) or 0]
        for _, path in _files(run, "metrics"):
            with suppress(OSError, ValueError, IndexError):
                known.append(ms_to_us(int(last_line(path).split()[0])) or 0)
        return max(known)


def _files(run: StoredRun, folder: str) -> Iterator[tuple[str, Path]]:
    """Names may have slashes in them: then the files lie deeper."""
    if run.home and _is_own(run.home / folder):
        for path in walk_files(run.home / folder):
            yield show(path.relative_to(run.home / folder)), path


def _describe(home: Path, about: dict[str, Any], experiment: str, *, is_deleted: bool) -> StoredRun:
    texts = {key: value for key, value in about.items() if isinstance(value, str)}
    numbers = {key: value for key, value in about.items() if isinstance(value, int)}
    status = texts.get("status", "")
    if numbers.get("status") in range(len(STATUSES)):
        status = STATUSES[numbers["status"]]
    return StoredRun(
        id=texts.get("run_id") or texts.get("run_uuid") or home.name,
        experiment=experiment,
        name=texts.get("run_name", ""),
        ended_as=ENDS.get(status, ""),
        started_ms=numbers.get("start_time"),
        ended_ms=numbers.get("end_time"),
        artifact_uri=texts.get("artifact_uri", ""),
        is_deleted=is_deleted or texts.get("lifecycle_stage") == "deleted",
        home=home,
    )


class MetricFile:
    """A line is `milliseconds value step`; old versions had no step, some add more words."""

    def __init__(self, name: str, path: Path, default_us: int) -> None:
        self.name = f"metric {name}"
        self.identity = self.name
        self._metric = name
        self._path = path
        self._default_us = default_us
        self._is_torn = False

    def read(self, after: int) -> Iterator[Record]:
        self._is_torn = False
        with self._path.open("rb") as file:
            seq = 1
            while line := file.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n") and not self._skip_rest(file, line):
                    self._is_torn = True
                    return
                seq += 1
                if seq > after:
                    yield self._encode(line)

    def _skip_rest(self, file: Any, line: bytes) -> bool:
        """Whether the line has an end."""
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)
        return line.endswith(b"\n")

    def _encode(self, line: bytes) -> Record:
        try:
            at_ms, value, *step = line.split()[:3]
            number = int(step[0]) if step else 0
            return encode_metric(self._metric, float(value), number, int(at_ms), self._default_us)
        except ValueError:
            return Lost(1, "not a line of `time value step`")

    def told(self) -> list[tuple[str, bool]]:
        return [(f"{self.name}: the last line is cut short", False)] if self._is_torn else []
