"""Event directories of TensorBoard, as runs and strands: a directory is a run, a file a strand.

Needs the package `tensorboard` for its messages; TensorFlow is not needed.
"""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from runyard.importing.cleaning import clean_map, clean_text
from runyard.importing.event_files import TORN, first_event, read_events
from runyard.importing.event_values import (
    SCALARS,
    event_parser,
    is_scalar,
    read_hparams,
    read_scalar,
    read_text,
)
from runyard.importing.foreign import give_up, show, start_of, status_of, time_us, walk_files
from runyard.importing.source import (
    FoundRun,
    Options,
    Problem,
    Record,
    Strand,
    encode,
    fingerprint,
)
from runyard.records import MAX_METRICS, Lost, encode_points
from runyard.values import check_metric_name

FORMAT = "tensorboard"
MARK = "tfevents"  # TensorBoard, too, knows its files by their names
NO_EVENTS = ".profile-empty"
PLURALS = {"histo": "histograms", "image": "images"}
TOLD_TAGS = 5
FRAME_BYTES = 16


def recognise(path: Path) -> bool:
    return next(candidates(path), None) is not None


def open_source(path: Path, options: Options) -> "TensorBoardSource":
    """Raises: ValueError without the package."""
    if find_spec("tensorboard") is None:
        raise ValueError("TensorBoard's files need its package: pip install 'runyard[tensorboard]'")
    return TensorBoardSource(path, options)


class TensorBoardSource:
    """A log directory, a run's directory or one event file."""

    def __init__(self, path: Path, options: Options) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._root = path if path.is_dir() else path.parent
        self._options = options
        self._files: dict[str, list[EventFile]] = {}  # by the run's identity

    def find(self) -> Iterator[FoundRun]:
        homes: dict[Path, list[Path]] = {}
        for path in candidates(self._path, self.problems):
            homes.setdefault(path.parent, []).append(path)
        root = self._root.parent if list(homes) == [self._root] else self._root
        for home, paths in homes.items():
            files = self._open_files(paths)
            if files:
                yield self._describe(root, home, files)

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        files = self._files[run.identity]
        for file in files:
            name = f"events {file.path.name}"
            yield Strand(show(Path(file.path.name)), f"{name} {file.mark}", file.read)
            self.problems += file.told(run.place)
        last_us = max(file.last_us for file in files)
        ended_as = next((file.ended_as for file in reversed(files) if file.ended_as), "")
        yield status_of(last_us, self._options.idle_s, ended_as)

    def _open_files(self, paths: list[Path]) -> list["EventFile"]:
        """In order of time. Those with nothing but the version in them are left out."""
        files = []
        for path in paths:
            try:
                file = EventFile(path)
            except OSError as error:
                self.problems.append(Problem(show(path), str(error)))
                continue
            if file.why_empty:
                self.problems.append(Problem(show(path), *file.why_empty))
            else:
                files.append(file)
        return sorted(files, key=lambda file: (file.first_us, file.path.name))

    def _describe(self, root: Path, home: Path, files: list["EventFile"]) -> FoundRun:
        parts = home.relative_to(root).parts or (home.name,)
        project = self._options.project
        # The directory's own name is no part of it: it may be renamed.
        named = "/".join(home.relative_to(self._root).parts)
        identity = f"{project} {named} {files[0].path.name} {files[0].mark}"
        identity = identity.encode("utf-8", "backslashreplace").decode()
        self._files[identity] = files
        start = start_of(
            "TensorBoard",
            show(home),
            project or root.name,
            parts,
            source="aspara",
            started_at=files[0].first_us,
        )
        return FoundRun(identity, FORMAT, start, show(home))


def candidates(path: Path, problems: list[Problem] | None = None) -> Iterator[Path]:
    for file in walk_files(path, problems):
        if MARK in file.name and not file.name.endswith(NO_EVENTS):
            yield file


def _why_empty(path: Path, begin: bytes) -> tuple[str, bool] | None:
    """And whether that is a loss; None where something can be read, if only behind damage."""
    size = path.stat().st_size
    if size <= len(begin) + FRAME_BYTES:
        return TORN if size and not begin else "no values in it", False
    reasons: dict[str, bool] = {}

    def note(reason: str, *, is_loss: bool = True) -> None:
        reasons[reason] = is_loss

    if begin or any(read_events(path, note)):
        return None
    return next(iter(reasons.items()), ("all of its events are damaged", True))


class EventFile:
    """`last_us`, `ended_as` and what was left out are known once it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parse = event_parser()
        begin = first_event(path)
        self.mark = fingerprint(begin.hex())
        self.why_empty = _why_empty(path, begin)
        changed_us = round(path.stat().st_mtime * 1e6)
        self.first_us = self.last_us = self._time_us(begin) or changed_us
        self.ended_as = ""
        self._forget()

    def _time_us(self, body: bytes) -> int | None:
        event = self._parse(body)
        return None if event is None else time_us(event.wall_time)

    def _forget(self) -> None:
        self._reasons: dict[str, bool] = {}
        self._left: dict[tuple[str, str], int] = {}
        self._kinds: dict[str, str] = {}  # of tags: which plugin shows them
        self._names: dict[str, bool] = {}

    def read(self, after: int) -> Iterator[Record]:
        self._forget()
        return give_up(self._read(after), self._complain)

    def _read(self, after: int) -> Iterator[Record]:
        seq = 1
        for body in read_events(self.path, self._complain):
            for record in self._translate(body):
                seq += 1
                if seq > after:
                    yield record

    def _complain(self, reason: str, *, is_loss: bool = True) -> None:
        self._reasons[reason] = is_loss

    def told(self, place: str) -> Iterator[Problem]:
        for reason, is_loss in self._reasons.items():
            yield Problem(f"{place}: {show(Path(self.path.name))}", reason, is_loss)
        kinds: dict[str, dict[str, int]] = {}
        for (kind, tag), count in self._left.items():
            kinds.setdefault(kind, {})[tag] = count
        for kind, tags in kinds.items():
            names = ", ".join(list(tags)[:TOLD_TAGS]) + (", …" if len(tags) > TOLD_TAGS else "")
            reason = f"{sum(tags.values()):,} {kind} ({names})"
            yield Problem(place, reason, is_loss=kind.startswith("values"))

    def _translate(self, body: bytes | None) -> list[Record]:
        """The records of an event: those of its texts and hyperparameters, then one of its points."""
        event = None if body is None else self._parse(body)
        if event is None:
            return [Lost(1, "damaged" if body is None else "no event of TensorBoard")]
        now_us = time_us(event.wall_time)
        self.last_us = self.last_us if now_us is None else now_us
        if event.HasField("graph_def"):
            self._leave_out("graphs", "graph")
        records: list[Record] = []
        points: list[tuple[str, float]] = []
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                self._take(points, value.tag, value.simple_value)
            else:
                records += self._translate_other(value, event.step, points)
        if points:
            names, values = zip(*points, strict=True)
            records.append(encode_points(names, values, event.step, self.last_us))
        return records

    def _translate_other(
        self, value: Any, step: int, points: list[tuple[str, float]]
    ) -> list[Record]:
        plugin = self._plugin(value)
        if plugin == "hparams":
            return self._translate_hparams(value.metadata.plugin_data.content)
        which = value.WhichOneof("value")
        if which == "tensor" and plugin in SCALARS and is_scalar(value.tensor):
            number = read_scalar(value.tensor)
            if number is not None:
                self._take(points, value.tag, number)
                return []
        if which == "tensor" and plugin == "text":
            return [self._line(value, step)]
        kind = plugin or which or "empty values"
        self._leave_out(PLURALS.get(kind, kind), value.tag)
        return []

    def _plugin(self, value: Any) -> str:
        """Some writers name it with the first value of a tag only."""
        named = value.metadata.plugin_data.plugin_name
        if named and (value.tag in self._kinds or len(self._kinds) < MAX_METRICS):
            self._kinds[value.tag] = named
        return str(named or self._kinds.get(value.tag, ""))

    def _take(self, points: list[tuple[str, float]], tag: str, number: float) -> None:
        is_fit = self._names.get(tag)
        if is_fit is None:
            is_fit = self._check_name(tag)
        if is_fit:
            points.append((tag, number))
        else:
            self._leave_out("values under names that cannot be kept", tag[:40])

    def _check_name(self, tag: str) -> bool:
        """Beyond what a run may have, names are not even remembered."""
        if len(self._names) >= MAX_METRICS:
            return False
        try:
            self._names[tag] = bool(check_metric_name(tag))
        except ValueError:
            self._names[tag] = False
        return self._names[tag]

    def _line(self, value: Any, step: int) -> Record:
        complain = partial(self._leave_out, tag=value.tag)
        message = clean_text(read_text(value.tensor), "values: a text", complain)
        line = {"message": message, "level": "info", "time": self.last_us}
        return encode("log", {**line, "metadata": {"tag": value.tag, "step": step}})

    def _translate_hparams(self, content: bytes) -> list[Record]:
        hparams, self.ended_as = read_hparams(content, self.ended_as)
        complain = partial(self._leave_out, tag="hparams")
        config = clean_map(hparams, "values: hyperparameter", complain)
        return [encode("config", config)] if config else []

    def _leave_out(self, kind: str, tag: str) -> None:
        if (kind, tag) in self._left or len(self._left) < MAX_METRICS:
            self._left[kind, tag] = self._left.get((kind, tag), 0) + 1
