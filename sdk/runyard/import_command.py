"""`runyard import`: runs that other tools left on disk, brought to the server."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard import config
from runyard.importing.bringing import bring, open_or_leave
from runyard.importing.delivery import PATIENCE_S, Courier, Outcome
from runyard.importing.detect import FORMATS, open_source
from runyard.importing.lanes import deal_out, open_couriers
from runyard.importing.progress import Imported, Line, Report
from runyard.importing.source import FoundRun, Options, Problem, Source
from runyard.records import Lost
from runyard.transport import parse_address

SWITCH_S = 0.0005
HELP = "bring runs that other tools left on disk to the server; repeat it at will"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("import", help=HELP, description=HELP)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="for example .dash")
    parser.add_argument("--url", help="default: $RUNYARD_URL")
    parser.add_argument("--project", default="", help="another project than the runs name")
    parser.add_argument("--format", choices=FORMATS, default="", help="instead of finding out")
    parser.add_argument("--step", default="", metavar="COLUMN", help="of tables: has the steps")
    parser.add_argument("--run", default="", metavar="COLUMN", help="of tables: has the run's name")
    parser.add_argument("--row", choices=("run", "point"), default="", help="what a row tells of")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="COLUMN",
        help="where a row is a run: numbers that are no results; repeat it",
    )
    parser.add_argument("--dry-run", action="store_true", help="read, send nothing")
    parser.add_argument("--json", action="store_true", help="the summary as JSON")
    parser.add_argument(
        "--idle",
        type=float,
        default=Options().idle_s / 60,
        metavar="MINUTES",
        help="a run without a known end is over when nothing was written for so long (60)",
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="with a server (30)"
    )


def run_import(options: argparse.Namespace) -> int:
    """Returns 0 if all is on the server, else 1. Raises: ValueError for what is no source."""
    wanted = Options(
        project=options.project,
        idle_s=options.idle * 60,
        step=options.step,
        run=options.run,
        row=options.row,
        config=tuple(options.config),
    )
    sources = [open_source(Path(path), wanted, options.format) for path in options.paths]
    with quick_switches():
        report = _read(sources) if options.dry_run else _bring(sources, options)
    report.problems += [problem for source in sources for problem in source.problems]
    if options.json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in report.lines())
    return 0 if report.is_complete else 1


@contextmanager
def quick_switches() -> Iterator[None]:
    """The thread that reads lets the one that sends in at once: half as much again in rows a second."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _bring(sources: list[Source], options: argparse.Namespace) -> Report:
    address = parse_address(config.server_url(options.url))
    report, line = Report(address.url), Line()
    found = enumerate(_find(sources))
    begun: dict[int, str] = {}
    imported: dict[int, Imported] = {}

    def begin(courier: Courier, task: tuple[int, tuple[Source, FoundRun]]) -> Callable[[], None]:
        """Runs are made in the order they are found in: of one name, the first one gets it."""
        number, (source, run) = task
        begun[number] = run.title
        line.begin(run.title)
        opened = open_or_leave(courier, run)

        def work() -> None:
            imported[number] = Imported(run, *bring(courier, source, run, opened))

        return work

    with open_couriers(address, patience_s=options.patience, on_progress=line.add) as couriers:
        report.stopped = deal_out(found, couriers, begin)
    if report.stopped:
        report.missing = [begun[number] for number in sorted(begun.keys() - imported.keys())]
        report.missing += [run.title for _, (_, run) in found]
    report.imported = [imported[number] for number in sorted(imported)]
    line.clear()
    return report


def _read(sources: list[Source]) -> Report:
    report, line = Report(), Line()
    for source, run in _find(sources):
        line.begin(run.title)
        report.imported.append(Imported(run, None, _read_run(source, run)))
        line.add(0)
    line.clear()
    return report


def _read_run(source: Source, run: FoundRun) -> Outcome:
    taken, problems = 0, []
    try:
        for strand in source.strands(run):
            for record in strand.read(1):
                taken += not isinstance(record, Lost)
                if isinstance(record, Lost):
                    problems.append(Problem(f"{run.place}: {strand.name}", record.reason))
    except OSError as error:  # of the source's disk
        problems.append(Problem(run.place, str(error)))
    return Outcome(taken, 0, tuple(problems))


def _find(sources: list[Source]) -> Iterator[tuple[Source, FoundRun]]:
    for source in sources:
        for run in source.find():
            yield source, run
