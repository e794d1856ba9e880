"""Track experiments: `init`, `log`, `finish`.

import aspara

aspara.init(project="digits", config={"lr": 0.01}, tracker_uri="http://localhost:3141")
for step in range(100):
    aspara.log({"loss": 1 / (step + 1)})
aspara.finish()
"""

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aspara._mappings import Config, Summary
from aspara._run import FLUSH_TIMEOUT_S, Run

__all__ = ["Config", "Run", "Summary", "config", "finish", "init", "log"]

_current: Run | None = None
_lock = threading.RLock()


def init(  # noqa: PLR0913, PLR0917 -- the published signature
    project: str | None = None,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    dir: str | os.PathLike[str] | None = None,  # noqa: A002 -- the published name
    tracker_uri: str | None = None,
    storage_backend: str | None = None,
    project_tags: Iterable[str] | None = None,
    resume: bool = False,
) -> Run:
    """Start a run and make it the current one; the one before is finished.

    Without a `name` one is made up. `resume` continues the run of that name, its steps too. Without
    a `tracker_uri` and $RUNYARD_URL the run is kept in files below `dir`, as `storage_backend` says;
    with one, `dir` is where records wait until the server has them. A server that does not answer is
    warned about, and hears of everything later.
    Raises: aspara.exceptions.RunAlreadyExistsError, ValueError, TypeError; without a server OSError,
    and ImportError for `polars` where that is not installed.
    Source: API Reference, "aspara.init()".
    """
    global _current  # noqa: PLW0603 -- the published API has a current run
    with _lock:
        if _current is not None:
            _current.finish(quiet=True)
        _current = Run(
            name=name,
            project=project,
            config=config,
            tags=tags,
            notes=notes,
            dir=dir,
            storage_backend=storage_backend,
            tracker_uri=tracker_uri,
            project_tags=project_tags,
            resume=resume,
        )
        return _current


def log(
    data: Mapping[str, object],
    step: int | None = None,
    commit: bool = True,
    timestamp: str | float | datetime | None = None,
) -> None:
    """Log to the current run; see `Run.log`. Raises: RuntimeError without one."""
    if _current is None:
        raise RuntimeError("No active run. Call aspara.init() first.")
    _current.log(data, step, commit, timestamp)


def finish(exit_code: int = 0, quiet: bool = False, flush_timeout: float = FLUSH_TIMEOUT_S) -> None:
    """Finish the current run; nothing happens without one."""
    if _current is not None:
        _current.finish(exit_code, quiet, flush_timeout)


def config() -> Config | None:
    """The config of the current run, None without one."""
    return None if _current is None else _current.config
