"""`runyard export`: the runs of a project, or all their points, as a file for other tools."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from pathlib import Path
from typing import IO, Any

from runyard.api import Api, RunRecord, Runs
from runyard.commands.asking import add_asking, add_json, add_metrics, add_query
from runyard.commands.files import save_files
from runyard.commands.outputs import written
from runyard.commands.printing import Progress, counted, print_json, say
from runyard.commands.tables import WRITERS, Kinds, Writer, json_line, kind_of, type_of
from runyard.frames import COLUMNS, TEXTS, TIMES, flat_row
from runyard.nearness import no_such_metrics

AT_ONCE = 10  # runs whose points are in memory together
ROWS = 10_000  # that are written together: a row group of Parquet
POINT_KINDS = {
    "run": "text",
    "metric": "text",
    "step": "whole",
    "time": "time",
    "value": "number",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "export", "write runs or points to a file", _export)
    command.add_argument("project")
    kinds = command.add_mutually_exclusive_group()
    for name in WRITERS:
        kinds.add_argument(
            f"--{name}",
            dest="format",
            action="store_const",
            const=name,
            help="the default, unless FILE ends in another" if name == "csv" else None,
        )
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="else to the screen")
    command.add_argument("--series", action="store_true", help="every point, not a row of each run")
    add_metrics(command, "with --series: only this; repeatable")
    add_query(command)
    command.add_argument("--files", type=Path, metavar="DIR", help="also their files, as DIR/RUN/…")
    add_json(command, "at the end, what was written, as JSON")


def _export(options: argparse.Namespace, api: Api) -> int:
    if options.metric and not options.series:
        raise ValueError("--metric chooses points: it goes with --series.")
    if options.json and options.output is None:
        raise ValueError("--json tells of a file: name it with -o FILE.")
    form = _form_of(options.output, options.format)
    tally = Tally()
    runs = tally.counted(api.each_run(options.project, options.query))
    if options.files:
        runs = tally.saved(runs, options.files)
    with _output(options.output, form) as file:
        if options.series:
            _write_points(file, form, runs, options.metric, tally)
            tally.check_metrics(options.metric)
        elif form == "jsonl":
            for run in runs:
                file.write(json_line(run.facts).encode())
        else:
            _write_runs(file, form, runs)
    tally.end(options)
    return 1 if tally.problems else 0


def _form_of(output: Path | None, chosen: str | None) -> str:
    """Raises: ValueError for an ending that promises another form than is written."""
    suffix = output.suffix.lstrip(".").lower() if output else ""
    if chosen:
        if suffix in WRITERS and suffix != chosen:
            raise ValueError(f"--{chosen} and .{suffix} contradict each other: leave one out.")
        return chosen
    if suffix and suffix not in WRITERS:
        endings = ", ".join(f".{name}" for name in WRITERS)
        forms = ", ".join(f"--{name}" for name in WRITERS)
        raise ValueError(
            f"What ends in .{suffix} is none of the forms there are: end FILE in one of {endings},"
            f" or say which it is with one of {forms}."
        )
    return suffix or "csv"


@contextlib.contextmanager
def _output(path: Path | None, form: str) -> Iterator[IO[bytes]]:
    if path is not None:
        with written(path) as file:
            yield file
        return
    if form == "parquet" and sys.stdout.isatty():
        raise ValueError("Parquet is not for the screen: name a file with -o FILE.")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


# ── Runs ─────────────────────────────────────────────────────────────────────


def _write_runs(file: IO[bytes], form: str, runs: Iterable[RunRecord]) -> None:
    """Which columns there are is known when the last run has come: until then they wait on disk."""
    fixed = {
        **dict.fromkeys(TEXTS, "text"),
        "tags": "texts",
        "exit_code": "whole",
        **dict.fromkeys(TIMES, "time"),
    }
    samples: dict[str, set[type]] = {name: set() for name in COLUMNS}
    with tempfile.TemporaryFile() as waiting:
        for run in runs:
            row = flat_row(run.facts)
            for name, value in row.items():
                samples.setdefault(name, set()).add(type_of(value))
            waiting.write(json.dumps(row).encode() + b"\n")
        kinds = {name: fixed.get(name) or kind_of(seen) for name, seen in samples.items()}
        waiting.seek(0)
        rows = (json.loads(line) for line in waiting)
        writer: Writer = WRITERS[form](file, kinds)
        _write_all(writer, ([row.get(name) for name in kinds] for row in rows), ROWS // 10)


def _write_all(writer: Writer, rows: Iterable[Any], at_once: int) -> None:
    rest = iter(rows)
    try:
        while some := list(islice(rest, at_once)):
            writer.write(some)
    finally:
        writer.close()


# ── Points ───────────────────────────────────────────────────────────────────


def _write_points(
    file: IO[bytes], form: str, runs: Iterable[RunRecord], metrics: list[str], tally: "Tally"
) -> None:
    kinds: Kinds = POINT_KINDS
    _write_all(WRITERS[form](file, kinds), _read_points(runs, metrics, tally), ROWS)


def _read_points(
    runs: Iterable[RunRecord], metrics: list[str], tally: "Tally"
) -> Iterator[tuple[Any, ...]]:
    rest = iter(runs)
    while some := list(islice(rest, AT_ONCE)):
        together = Runs(some, some[0].remote, some[0].project)
        for portion in together.series_in_portions(*metrics):
            for metric, by_run in portion.items():
                for run, (steps, values, times_ms) in by_run.items():
                    yield from zip(repeat(run), repeat(metric), steps, times_ms, values)
                    tally.add_points(len(steps))


class Tally:
    """What has been written so far, for people to see."""

    def __init__(self) -> None:
        self.run_count = self.point_count = self.file_count = self.short_count = 0
        self.metrics: set[str] = set()
        self.problems: list[str] = []
        self._progress = Progress()

    def counted(self, runs: Iterable[RunRecord]) -> Iterator[RunRecord]:
        for run in runs:
            self.run_count += 1
            self.short_count += run.resolution != "full"
            self.metrics.update(run.facts["metrics"])
            self._show()
            yield run

    def add_points(self, count: int) -> None:
        self.point_count += count
        self._show()

    def check_metrics(self, asked: list[str]) -> None:
        """Raises: FileNotFoundError where none of those asked for is there."""
        missing = no_such_metrics(asked, self.metrics) if self.run_count else []
        if missing and len(missing) == len(set(asked)):
            raise FileNotFoundError(" ".join(missing))
        self.problems += missing

    def saved(self, runs: Iterable[RunRecord], folder: Path) -> Iterator[RunRecord]:
        """Each run, after its files have been saved."""
        for run in runs:
            count, problems = save_files(run, folder / run.name)
            self.file_count += count
            self.problems += problems
            self._show()
            yield run

    def end(self, options: argparse.Namespace) -> None:
        self._progress.clear()
        counts = {"runs": self.run_count, "points": self.point_count, "files": self.file_count}
        if options.json:
            facts = {"output": str(options.output), **counts, "thinned": self.short_count}
            facts["problems"] = self.problems
            print_json(facts)
            return
        for problem in self.problems:
            say(f"runyard: {problem}")
        if options.series and self.short_count:
            say(
                f"Of {counted(self.short_count, 'run')} the project's rules have not left all points (`resolution`)."
            )
        if options.output:
            say(f"{self} → {options.output}")

    def _show(self) -> None:
        self._progress.show(str(self))

    def __str__(self) -> str:
        counts = {"run": self.run_count, "point": self.point_count, "file": self.file_count}
        return (
            ", ".join(counted(count, name) for name, count in counts.items() if count) or "0 runs"
        )
