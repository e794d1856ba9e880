"""A run without a server: its files are the store. What `runyard.run` is to a server, this is to a disk."""

import os
import secrets
import threading
import time
from collections.abc import Mapping
from shlex import quote
from typing import Any

from runyard import config, family, life, lifecycle
from runyard.artifacts import Artifact
from runyard.aspara_store.backends import Lines, open_backend
from runyard.aspara_store.documents import RunDocument
from runyard.aspara_store.layout import Backend, RunPaths, data_dir
from runyard.aspara_store.metadata import add_project_tags
from runyard.aspara_store.places import claim
from runyard.aspara_store.rows import encode_row
from runyard.errors import RunFinished
from runyard.files.keeper import Keeper
from runyard.lifecycle import Status
from runyard.notices import warn
from runyard.records import MAX_METRICS, MAX_SHAPES
from runyard.values import INT64, as_float, as_step, check_metric_name


def open_local(
    *,
    project: str,
    key: str | None,
    start: Mapping[str, Any],
    directory: str | os.PathLike[str] | None = None,
    backend: Backend = "jsonl",
) -> "LocalRun":
    """Start a run in files, or resume it where `start` says so; see `runyard.run.open_run`.

    Raises: RunExists, ValueError, OSError, ImportError without polars.
    """
    root = data_dir(directory)
    inherited = family.inherited_run(project, key)
    key = key or (inherited.key if inherited else None)
    run = LocalRun(RunPaths(root, project, key or ""), start, inherited.uid if inherited else None)
    run.is_elsewhere = directory is not None
    if config.logs_here():
        run.open(backend)
    return run


class LocalRun:
    """`next_step` is the step of the next row that names none.

    A process that was handed the run down (a spawned or forked one) logs to it but does not end it.
    """

    page_url = ""

    def __init__(self, paths: RunPaths, start: Mapping[str, Any], uid: str | None) -> None:
        self.uid = uid or secrets.token_hex(8)
        self.next_step = 0
        self.is_finished = False
        self.status: Status | None = None  # how it ended
        self.left = 0  # how many rows the disk would not take
        self._is_told = False
        self.exit_deadline_s = 0.0  # nobody has to be waited for
        self.is_silent = not config.logs_here()
        self.is_elsewhere = False  # not where a dashboard looks by itself
        self._paths = paths
        self._start = dict(start)
        self.is_owner = uid is None
        self._lock = threading.RLock()  # a signal handler may interrupt its holder
        self._backend: Lines | None = None
        self._document: RunDocument | None = None
        self._life: int | None = None
        self._is_begun = False
        self._keeper = Keeper(self._sync)
        self._shapes: set[tuple[str, ...]] = set()

    @property
    def project(self) -> str:
        return self._paths.project

    @property
    def key(self) -> str:
        return self._paths.name

    # ── Logging ──────────────────────────────────────────────────────────────

    def log(
        self,
        values: Mapping[str, object],
        *,
        step: object = None,
        commit: bool = True,
        time_us: int | None = None,
    ) -> None:
        """Add one row: a point for each metric. When this returns, it is in the file.

        Without a `step` it is `next_step`; `commit` makes the one after it the next. Nothing is
        kept of a row with an error in it. Raises: ValueError, TypeError, RunFinished.
        """
        names = tuple(values)
        if names not in self._shapes:
            self._learn(names)
        numbers = [
            value if type(value) is float else as_float(name, value)
            for name, value in values.items()
        ]
        time_us = time.time_ns() // 1000 if time_us is None else time_us
        given_step = None if step is None else as_step(step)
        with self._lock:
            self._check_open()
            at = self.next_step if given_step is None else given_step
            if at not in INT64:
                raise ValueError(f"step must fit into 64 bits, not {at}.")
            if numbers and not self.is_silent:
                self._append(encode_row(names, numbers, at, time_us))
            self.next_step = at + 1 if commit else at

    def record(self, kind: str, payload: dict[str, Any]) -> None:
        """`config` and `summary` are merged, `notes` replaced, `tags` are those of the job. Raises: RunFinished."""
        with self._lock:
            self._check_open()
            if self._document:
                self._document.record(kind, payload)

    def log_artifact(self, artifact: Artifact) -> None:
        """Copy a file. A full disk is warned about, and there is no artifact. Raises: RunFinished."""
        with self._lock:
            self._check_open()
            document = self._document
        if document:
            document.add_artifact(artifact)

    def _learn(self, names: tuple[str, ...]) -> None:
        if len(names) > MAX_METRICS:
            raise ValueError(f"{len(names)} metrics in one row; at most {MAX_METRICS} are allowed.")
        for name in names:
            check_metric_name(name)
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes.add(names)

    def _append(self, line: bytes) -> None:
        if not self._is_begun:
            self._begin()
        assert self._backend  # noqa: S101 -- an open run has one
        self._backend.append(line)
        self._keeper.touch()

    def _check_open(self) -> None:
        if self.is_finished:
            raise RunFinished("Cannot log to a finished run. Start another one.")

    # ── The beginning ────────────────────────────────────────────────────────

    def open(self, backend: Backend) -> None:
        """Raises: RunExists, ValueError, OSError, ImportError without polars."""
        if config.describes_environment():
            from runyard import environment  # noqa: PLC0415 -- slow import

            self._start["environment"] = environment.describe()
        claimed = claim(self._paths, self._start, self.uid, backend, is_joined=not self.is_owner)
        self._paths, self.uid = claimed.paths, claimed.uid
        self.is_owner = not claimed.is_joined
        self._backend = open_backend(claimed.backend, claimed.paths)
        self._document = RunDocument(claimed.paths, claimed.uid)
        self._begin()
        if self._start.get("resume") and self.is_owner:
            self.next_step = self._backend.next_step()
        if self._start.get("project_tags"):
            add_project_tags(claimed.paths.root, self.project, self._start["project_tags"])
        lifecycle.track(self)
        family.hand_down(self.uid, self.project, self.key)
        lifecycle.end_with_worker()

    def _begin(self) -> None:
        """From now on others can tell that somebody logs to the run."""
        self._is_begun = True
        try:
            self._life = life.hold(self._paths.life)
        except OSError as error:
            warn(f"others cannot tell that {self.project}/{self.key} is alive: {error}")

    # ── The end ──────────────────────────────────────────────────────────────

    def finish(
        self, status: Status, *, exit_code: int | None = None, timeout_s: float | None = None
    ) -> int:
        """End the run. Returns the number of rows that the disk would not take."""
        if self.is_finished:
            return 0
        self.end(status, exit_code=exit_code)
        return self.drain(timeout_s or 0.0)

    def end(self, status: Status, *, exit_code: int | None = None, reason: str = "") -> None:
        """A process that was handed the run down leaves the last word to its owner."""
        with self._lock:
            if self.is_finished:
                return
            self._end_rows()
            if self.is_finished:  # SIGTERM came in between
                return
            if self._document and self.is_owner:
                self._document.end(status, exit_code, reason)
            self.status = status
            self.is_finished = True  # not before: SIGTERM may come at any time and end it, too
            self._close()
        family.hand_down_no_more(self.uid)

    def _end_rows(self) -> None:
        if self._backend:
            if self.is_owner:
                self._backend.finish()
            self.left = self._backend.sync()

    def _close(self) -> None:
        self._keeper.stop()
        if self._backend:
            self._backend.close()
        if self._life is not None:
            life.release(self._paths.life, self._life)
            self._life = None

    def flush(self, timeout_s: float) -> int:  # noqa: ARG002 -- as that of `runyard.run.Run`
        """Bring what was logged onto the disk. Returns the number of rows that it would not take."""
        with self._lock:
            if self._backend is None or self.is_finished:
                return self.left
            return self._backend.sync()

    def drain(self, timeout_s: float) -> int:  # noqa: ARG002 -- as above
        """Returns the number of rows that are lost, which is said once."""
        lifecycle.untrack(self)
        if self.left and not self._is_told:
            self._is_told = True
            warn(f"{self.project}/{self.key}: {self._losses()}.")
        return self.left

    def _sync(self) -> None:
        """In a thread of its own, which must not make `log` wait for the disk."""
        backend = self._backend
        if backend and self._lock.acquire(blocking=False):
            try:
                if not self.is_finished:
                    backend.file.push()
            finally:
                self._lock.release()
        if backend:
            backend.file.sync()

    def whereabouts(self) -> str:
        """Where the files are, how to look at them and to bring them to a server, for a line to people."""
        folder = self._paths.folder
        if self.left:
            return f"{folder}, but {self._losses()}"
        if self.is_finished:
            return f"{folder} (runyard import {quote(str(self._paths.root))})"
        option = f" --data-dir {quote(str(self._paths.root))}" if self.is_elsewhere else ""
        return f"{folder} (to look at it: aspara dashboard{option})"

    def _losses(self) -> str:
        return f"{self.left} row{'s' * (self.left > 1)} could not be written: LOST"

    def forget_parent(self) -> None:
        """In a forked child: what was the parent's is let go of; the first row begins anew."""
        self._lock = threading.RLock()
        self._keeper.reset()
        self.is_owner = self._is_begun = False
        if self._backend:
            self._backend.forget_parent()
            self._document = RunDocument(self._paths, self.uid)
        if self._life is not None:
            os.close(self._life)  # which does not end its parent's lock
            self._life = None
