"""One run: the published class, over the core."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from runyard import lifecycle
from runyard.artifacts import check_artifact
from runyard.errors import RunExists
from runyard.notices import say
from runyard.values import as_notes, as_tags, as_time_us

from aspara._core import open_core
from aspara._mappings import Config, Summary
from aspara._values import check_name, choose_backend
from aspara.exceptions import RunAlreadyExistsError

DEFAULT_PROJECT = "default"
FLUSH_TIMEOUT_S = 30.0  # of the published signature; untouched, RUNYARD_EXIT_DEADLINE decides


class Run:
    """A training that logs to a server or into files; also a context manager that finishes it.

    Raises: RunAlreadyExistsError, ValueError, TypeError. Source: API Reference, "aspara.init()".
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- the published signature
        self,
        name: str | None = None,
        project: str | None = None,
        config: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        notes: str | None = None,
        dir: str | os.PathLike[str] | None = None,  # noqa: A002 -- the published name
        storage_backend: str | None = None,
        tracker_uri: str | None = None,
        project_tags: Iterable[str] | None = None,
        resume: bool = False,
    ) -> None:
        backend = choose_backend(storage_backend)
        self.tags = [] if tags is None else as_tags(tags)
        self.notes = "" if notes is None else as_notes(notes)
        self.config = Config(config, lambda changes: self._core.record("config", changes))
        self.summary = Summary(None, lambda changes: self._core.record("summary", changes))
        start = {
            "source": "aspara",
            "config": self.config.to_dict(),
            "tags": None if tags is None else self.tags,
            "notes": None if notes is None else self.notes,
            "project_tags": None if project_tags is None else as_tags(project_tags, "project_tags"),
            "resume": bool(resume) or None,
        }
        try:
            self._core = open_core(
                project=check_name(project or DEFAULT_PROJECT, "project"),
                key=None if name is None else check_name(name, "run"),
                start={key: value for key, value in start.items() if value is not None},
                url=tracker_uri,
                directory=dir,
                backend=backend,
            )
        except RunExists as error:
            raise RunAlreadyExistsError(str(error)) from None
        self._say()
        lifecycle.tell_at_end(self._core, self._say_farewell)

    @property
    def id(self) -> str:
        return self._core.uid

    @property
    def name(self) -> str:
        """What the server calls the run, once it is known; see `resume` and name clashes."""
        return self._core.key

    @property
    def project(self) -> str:
        return self._core.project

    def log(
        self,
        data: Mapping[str, object],
        step: int | None = None,
        commit: bool = True,
        timestamp: str | float | datetime | None = None,
    ) -> None:
        """Log one value for each metric. Source: API Reference, "aspara.log()".

        `timestamp`: ISO text, datetime (naive: UTC) or UNIX milliseconds. When this returns, the
        points survive the death of the process. Raises: ValueError, TypeError, RuntimeError.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"log() takes a dict of metrics, not {type(data).__name__}.")
        time_us = None if timestamp is None else as_time_us(timestamp)
        self._core.log(data, step=step, commit=commit, time_us=time_us)

    def log_artifact(
        self,
        file_path: str | os.PathLike[str],
        name: str | None = None,
        description: str | None = None,
        category: str | None = None,
    ) -> None:
        """Keep a copy of a file with the run; to a server it is uploaded in the background.

        Without a `name` it is that of the file, made to fit. `category`: code, model, config, data
        or other. Raises: ValueError, RuntimeError.
        """
        self._core.log_artifact(check_artifact(file_path, name, description, category))

    def set_tags(self, tags: Iterable[str]) -> None:
        """Replace the tags of the run."""
        new_tags = as_tags(tags)
        self._core.record("tags", {"tags": new_tags})
        self.tags = new_tags

    def flush(self, timeout: float = FLUSH_TIMEOUT_S) -> int:
        """Wait until what was logged has arrived. Returns the number of records that have not."""
        return self._core.flush(timeout)

    def finish(
        self, exit_code: int = 0, quiet: bool = False, flush_timeout: float = FLUSH_TIMEOUT_S
    ) -> None:
        """End the run: completed with exit code 0, else failed. A second call does nothing."""
        if self._core.is_finished:
            return
        timeout_s = None if flush_timeout == FLUSH_TIMEOUT_S else flush_timeout
        self._core.finish(
            "failed" if exit_code else "completed", exit_code=exit_code, timeout_s=timeout_s
        )
        if not quiet:
            self._say_end()

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._core.is_finished:
            lifecycle.finish_with(self._core, error)
            self._say_end()

    def _say_farewell(self) -> None:
        if self._core.is_owner:  # else it goes on without this process
            self._say_end()

    def _say_end(self) -> None:
        self._say(f" {self._core.status}")

    def _say(self, what: str = "") -> None:
        if not self._core.is_silent:
            say(f"aspara: {self.project}/{self.name}{what}: {self._core.whereabouts()}")
