"""`experiment.run`: an experiment begins and ends as a block, as a function, or by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from runyard.lifecycle import judge

from ml_dash._prefix import parse_prefix
from ml_dash._session import Session
from ml_dash._store import About

if TYPE_CHECKING:
    from ml_dash._experiment import Experiment


class RunManager:
    """Source: API Reference, "RunManager"."""

    def __init__(self, experiment: Experiment, session: Session) -> None:
        self._experiment = experiment
        self._session = session

    @property
    def prefix(self) -> str:
        """What the experiment is known by; it may be changed while it is not open."""
        return self._session.prefix.text

    @prefix.setter
    def prefix(self, prefix: str) -> None:
        self._session.rename(parse_prefix(prefix))

    def start(self) -> Experiment:
        """Open the experiment: a new one, or the one of this prefix, which goes on.

        An open one stays as it is. A server that does not answer is warned about, and hears of
        everything later. Raises: OSError where the local directory cannot be written.
        """
        one = self._experiment
        if not self._session.is_open:
            words = (one.readme, list(one.tags), list(one.bindrs), one.metadata)
            self._session.open(About(*self._session.prefix, *words))
        return one

    def complete(self) -> None:
        """As the next two, waits for what was logged to arrive; a second call does nothing."""
        self._close("COMPLETED")

    def fail(self) -> None:
        self._close("FAILED")

    def cancel(self) -> None:
        self._close("CANCELLED")

    def __enter__(self) -> Experiment:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """An exception goes on its way: after it the experiment failed, after Ctrl-C it was cancelled."""
        status, reason = judge(error)
        self._close(status.upper(), reason)

    def _close(self, status: str, reason: str = "") -> None:
        if self._session.is_open:
            self._experiment.metrics.buffer.warn_of_waiting()
            self._session.close(status, reason)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: it runs in a block of its own, with the experiment as first argument."""
        if not callable(function):
            raise TypeError("Use `with experiment.run as exp:`, or @experiment.run on a function.")
        return wrap(
            function, lambda: self, lambda experiment, given: ((experiment, *given[0]), given[1])
        )


Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def wrap(
    function: Callable[..., Any],
    find_run: Callable[[], RunManager],
    add: Callable[[Experiment, Arguments], Arguments],
) -> Callable[..., Any]:
    """The function inside a run, with what `add` makes of its arguments; a coroutine stays one."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        with find_run() as experiment:
            args, named = add(experiment, (args, named))
            return function(*args, **named)

    @functools.wraps(function)
    async def await_it(*args: Any, **named: Any) -> Any:
        with find_run() as experiment:
            args, named = add(experiment, (args, named))
            return await function(*args, **named)

    import inspect  # noqa: PLC0415 -- slow import

    return await_it if inspect.iscoroutinefunction(function) else call
