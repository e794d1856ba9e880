"""One experiment: the published class, over the stores."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from runyard.values import as_json_map, as_notes, as_tags

from ml_dash._files import FilesManager
from ml_dash._logs import LogBuilder, write_log
from ml_dash._metrics import MetricsManager
from ml_dash._params import ParametersBuilder
from ml_dash._prefix import find_prefix
from ml_dash._run import RunManager, wrap
from ml_dash._servers import find_server
from ml_dash._session import Session

DASH_ROOT = ".dash"


class OperationMode(str, Enum):  # noqa: UP042 -- the SDK supports Python 3.10
    LOCAL = "local"
    REMOTE = "remote"
    HYBRID = "hybrid"


class BindrsBuilder:
    """`experiment.bindrs(name)`."""

    def __init__(self, experiment: Experiment, name: str) -> None:
        self._experiment = experiment
        self._name = name

    def list(self) -> list[dict[str, Any]]:
        """The files that are bound by this name."""
        files = self._experiment.files.list()
        return [entry for entry in files if self._name in (entry["bindrs"] or ())]


class Bindrs(list[str]):
    """The names as a list; called with one, what is bound by it."""

    def __init__(self, experiment: Experiment, names: Iterable[str]) -> None:
        super().__init__(names)
        self._experiment = experiment

    def __call__(self, name: str) -> BindrsBuilder:
        return BindrsBuilder(self._experiment, name)


class Experiment:
    """An experiment that is known by its prefix, `owner/project/folder/name`.

    Kept below `dash_root` on this machine, on the server at `dash_url`, or in both places.
    Raises: ValueError, TypeError. Source: API Reference, "Experiment".
    """

    def __init__(  # noqa: PLR0913 -- the published signature
        self,
        prefix: str | None = None,
        *,
        readme: str | None = None,
        tags: list[str] | None = None,
        bindrs: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        dash_url: str | bool | None = None,
        dash_root: str | os.PathLike[str] | None = DASH_ROOT,
        remote: str | bool | None = None,
        local_path: str | os.PathLike[str] | None = None,
    ) -> None:
        dash_url = _prefer(dash_url, remote, "remote", "dash_url")
        if local_path is not None:
            is_free = dash_root == DASH_ROOT
            dash_root = _prefer(
                None if is_free else dash_root, local_path, "local_path", "dash_root"
            )
        self.readme = None if readme is None else as_notes(readme, "readme")
        self.tags = as_tags(tags or ())
        self.bindrs = Bindrs(self, as_tags(bindrs or (), "bindrs"))
        self.metadata = None if metadata is None else as_json_map(metadata, "metadata")
        root = None if dash_root is None else Path(dash_root).absolute()
        self._session = Session(find_prefix(prefix), root, find_server(dash_url))
        self.run = RunManager(self, self._session)
        self._params = ParametersBuilder(self._session)
        self._metrics = MetricsManager(self._session)
        self._files = FilesManager(self._session)

    # ── Who it is ────────────────────────────────────────────────────────────

    @property
    def prefix(self) -> str:
        return self._session.prefix.text

    @property
    def owner(self) -> str:
        return self._session.prefix.owner

    @property
    def project(self) -> str:
        return self._session.prefix.project

    @property
    def folder(self) -> str:
        """What stands between project and name; "" if nothing does."""
        return self._session.prefix.folder

    @property
    def name(self) -> str:
        return self._session.prefix.name

    @property
    def id(self) -> str | None:
        """The server's id of the experiment; None without one, or while it has not answered."""
        return self._session.remote.experiment_id if self._session.remote else None

    @property
    def data(self) -> dict[str, Any] | None:
        """What the server was told, with the id it gave; None as long as there is no id."""
        if self.id is None:
            return None
        words = {"readme": self.readme, "description": self.readme, "metadata": self.metadata}
        lists = {"tags": list(self.tags), "bindrs": list(self.bindrs)}
        names = {"id": self.id, "name": self.name, "prefix": self.prefix, "folder": self.folder}
        project = {"slug": self.project, "namespace": {"slug": self.owner}}
        return {"experiment": {**names, **words, **lists}, "project": project}

    @property
    def mode(self) -> OperationMode:
        if self._session.remote is None:
            return OperationMode.LOCAL
        return OperationMode.REMOTE if self._session.local is None else OperationMode.HYBRID

    # ── What it takes in ─────────────────────────────────────────────────────

    @property
    def params(self) -> ParametersBuilder:
        self._session.check_open()
        return self._params

    @property
    def logs(self) -> LogBuilder:
        """`logs.info("…", epoch=1)`, and so on for each level."""
        self._session.check_open()
        return LogBuilder(self._session)

    def log(
        self,
        message: str | None = None,
        level: str = "info",
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> LogBuilder | None:
        """Store a line and print it. `more` comes before `metadata`.

        Raises: ValueError for an unknown level. Source: API Reference, "exp.log".
        """
        if message is not None:
            write_log(self._session, message, level or "info", {**(metadata or {}), **more})
            return None
        self._session.check_open()
        _deprecate("log() without a message", "logs")
        return LogBuilder(self._session, {**(metadata or {}), **more})

    @property
    def metrics(self) -> MetricsManager:
        self._session.check_open()
        return self._metrics

    @property
    def files(self) -> FilesManager:
        self._session.check_open()
        return self._files

    def flush(self) -> None:
        """Wait until what was logged is on the disk, and on the server if it answers."""
        self._session.store.flush()


def ml_dash_experiment(prefix: str | None = None, **options: Any) -> Callable[..., Any]:
    """Decorate a function: each call is an experiment of its own, its argument `experiment`.

    `options` are those of Experiment.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return wrap(
            function,
            lambda: Experiment(prefix, **options).run,
            lambda experiment, given: (given[0], {**given[1], "experiment": experiment}),
        )

    return decorate


def _prefer(value: Any, old_value: Any, old: str, new: str) -> Any:
    """The value of the new name, else that of the old one."""
    if old_value is not None:
        _deprecate(f"{old}=", f"{new}=")
    return old_value if value is None else value


def _deprecate(old: str, new: str) -> None:
    warnings.warn(f"{old} is deprecated: use {new}.", DeprecationWarning, stacklevel=4)
