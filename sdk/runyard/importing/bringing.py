"""All of a run, one strand after the other."""

from runyard.importing.delivery import Courier, Outcome, RunLeft, StrandLeft
from runyard.importing.source import FoundRun, Problem, Source
from runyard.sender import RunInfo


def open_or_leave(courier: Courier, run: FoundRun) -> RunInfo | StrandLeft:
    """The run, or why the server will not have it. Raises: ImportStopped."""
    try:
        return courier.open(run)
    except StrandLeft as left:
        return left


def bring(
    courier: Courier, source: Source, run: FoundRun, opened: RunInfo | StrandLeft | None = None
) -> tuple[RunInfo | None, Outcome]:
    """All of a run, as far as the server has it; None if it has no such run. Raises: ImportStopped."""
    told = Outcome()
    info: RunInfo | None = None
    try:
        info = _opened(opened or open_or_leave(courier, run))
        for strand in source.strands(run):
            try:
                told = told.plus(courier.deliver_first(run, info, strand))
                if strand.is_open and courier.is_running(info):
                    told = told._replace(is_open=True)
            except RunLeft:
                raise
            except StrandLeft as left:
                problem = Problem(f"{run.place}: {strand.name}", str(left))
                told = told.plus(Outcome(problems=(problem,)))
    except StrandLeft as left:
        told = told.plus(Outcome(problems=(Problem(run.place, str(left), left.is_loss),)))
    except OSError as error:  # of the source's disk
        told = told.plus(Outcome(problems=(Problem(run.place, str(error)),)))
    return info, told


def _opened(opened: RunInfo | StrandLeft) -> RunInfo:
    if isinstance(opened, StrandLeft):
        raise opened
    return opened
