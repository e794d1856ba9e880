"""How a process ends, and what that makes of its open runs.

    the interpreter ends           completed
    an exception nobody caught     failed
    Ctrl-C                         cancelled
    SIGTERM                        cancelled, with the reason
    SIGKILL                        nothing can be said: the run grows stale

Handlers of the job are called as before, and put back when the last run is finished.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Literal, NamedTuple, Protocol

from runyard import family

WORKER_DEADLINE_S = 1.0

Status = Literal["completed", "failed", "cancelled"]
EXIT_CODES: dict[Status, int | None] = {"completed": 0, "failed": 1, "cancelled": None}


class Ending(NamedTuple):
    status: Status
    reason: str = ""


def judge(error: BaseException | None) -> Ending:
    """How a block ends that was left with this error, or without one."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return Ending("completed")
    if isinstance(error, KeyboardInterrupt):
        return Ending("cancelled", "Ctrl-C")
    return Ending("failed", f"{type(error).__name__}: {error}"[:500])


class OpenRun(Protocol):
    exit_deadline_s: float

    def end(self, status: Status, *, exit_code: int | None = None, reason: str = "") -> None: ...
    def drain(self, timeout_s: float) -> int: ...
    def forget_parent(self) -> None: ...


class _State:
    """One per process; a forked child inherits a copy."""

    def __init__(self) -> None:
        self.open_runs: list[OpenRun] = []
        self.farewells: dict[
            int, tuple[int, Callable[[], None]]
        ] = {}  # by id of a run, with the pid
        self.ending = Ending("completed")
        self.pid = 0  # of the process that opened the newest of them
        self.previous_hook = sys.excepthook
        self.previous_sigterm: object = None


_state = _State()


def track(run: OpenRun) -> None:
    """From now on the end of the process ends the run."""
    if not _state.open_runs:
        _state.ending = Ending("completed")
        _install()
    _state.pid = os.getpid()
    _state.open_runs.append(run)


def tell_at_end(run: OpenRun, tell: Callable[[], None]) -> None:
    """Called should the end of this process end the run, as the last of it: a line to people."""
    _state.farewells[id(run)] = os.getpid(), tell


def untrack(run: OpenRun) -> None:
    """The run has ended by itself."""
    _state.farewells.pop(id(run), None)
    if run in _state.open_runs:
        _state.open_runs.remove(run)
        if not _state.open_runs:
            _uninstall()


def note_ending(status: Status, reason: str = "") -> None:
    """How the process is about to end, should nobody end its runs before."""
    _state.ending = Ending(status, reason)


def finish_all(deadline_s: float | None = None) -> None:
    """End all open runs as the process ends; their own deadlines hold if none is given."""
    runs, ending = list(_state.open_runs), _state.ending
    for run in runs:
        run.end(ending.status, reason=ending.reason)
    if deadline_s is None:
        deadline_s = max((run.exit_deadline_s for run in runs), default=0.0)
    end = time.monotonic() + deadline_s
    for run in runs:
        pid, tell = _state.farewells.get(id(run), (0, None))
        run.drain(max(0.0, end - time.monotonic()))
        if tell and pid == os.getpid():
            with contextlib.suppress(RuntimeError):  # SIGTERM came while the job wrote a line
                tell()


def finish_with(run: OpenRun, error: BaseException | None) -> int:
    """At the end of a `with` block: failed after an exception, cancelled after Ctrl-C.

    Returns the number of records left.
    """
    status, reason = judge(error)
    run.end(status, exit_code=EXIT_CODES[status], reason=reason)
    return run.drain(run.exit_deadline_s)


def _install() -> None:
    _state.previous_hook, sys.excepthook = sys.excepthook, _on_exception
    if threading.current_thread() is threading.main_thread():
        previous = signal.getsignal(signal.SIGTERM)
        if callable(previous) or previous is signal.SIG_DFL:
            _state.previous_sigterm = signal.signal(signal.SIGTERM, _on_sigterm)


def _uninstall() -> None:
    if sys.excepthook is _on_exception:
        sys.excepthook = _state.previous_hook
    is_ours = signal.getsignal(signal.SIGTERM) is _on_sigterm
    if is_ours and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _state.previous_sigterm)  # type: ignore[arg-type]


def _on_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    note_ending(*judge(error))
    _state.previous_hook(kind, error, traceback)


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    note_ending("cancelled", "SIGTERM")
    previous = _state.previous_sigterm
    if callable(previous):
        previous(signum, frame)
        return
    signal.signal(signum, signal.SIG_DFL)
    try:
        if os.getpid() == _state.pid:  # a worker dies at once; its parent brings its records home
            finish_all()
    finally:
        os.kill(os.getpid(), signum)


@atexit.register
def _on_exit() -> None:
    runs, ending = list(_state.open_runs), _state.ending
    try:
        finish_all()
    except KeyboardInterrupt:  # enough of waiting, but how it ended is still to be written down
        for run in runs:
            run.end(ending.status, reason=ending.reason)
            run.drain(0)


def _after_fork() -> None:
    for run in _state.open_runs:
        run.forget_parent()


def end_with_worker() -> None:
    """`multiprocessing` ends its children without `atexit`, but not without this.

    A worker hardly waits, for the training may be waiting for it: its parent brings home the rest.
    """
    if family.is_multiprocessing_child():
        from multiprocessing.util import Finalize  # noqa: PLC0415 -- it is loaded already

        Finalize(None, finish_all, kwargs={"deadline_s": WORKER_DEADLINE_S}, exitpriority=10)


os.register_at_fork(after_in_child=_after_fork)
