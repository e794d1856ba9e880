"""One run: the published class, over the core."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from runyard import lifecycle
from runyard.artifacts import check_artifact
from runyard.credentials import Credentials
from runyard.lifecycle import Status
from runyard.names import local_key
from runyard.notices import say
from runyard.run import open_run
from runyard.values import as_json_map, as_name, as_tags, as_time_us

from ai_manager._config import Config
from ai_manager._types import (
    ArtifactInfo,
    ConfigDict,
    MetricDict,
    MetricInterface,
    MetricValue,
    Path,
    RunStatus,
    Value,
)

ENDINGS: dict[RunStatus, tuple[Status, int | None]] = {
    RunStatus.COMPLETED: ("completed", 0),
    RunStatus.FAILED: ("failed", 1),
    RunStatus.STOPPED: ("cancelled", None),
}


class Run(MetricInterface):
    """A training that logs to a server; also a context manager that finishes it.

    Made by `AIManager.run`. Nothing here waits for the network, but for the end of the run.
    """

    def __init__(
        self,
        project_name: str,
        name: str | None,
        config: Mapping[str, Any] | ConfigDict | None,
        tags: Iterable[str] | None,
        *,
        url: str,
        credentials: Credentials,
    ) -> None:
        self.project_name = project_name
        self.config = Config(_plain(config or {}), self._record_config)
        self.tags = [] if tags is None else as_tags(tags)
        self._texts: dict[str, Any] = {}
        names = {"project_name": project_name}
        if name is not None:
            names["name"] = as_name(name, "name")
        self._core = open_run(
            project=local_key(project_name, "project"),
            key=None if name is None else local_key(names["name"], "run"),
            start={
                "source": "ai_manager",
                **names,
                "config": dict(self.config),
                "tags": self.tags,
            },
            url=url,
            credentials=credentials,
        )
        self.name = names.get("name", self._core.key)
        self._say()

    @property
    def run_id(self) -> int | None:
        """The server's number of the run; None until the server has answered."""
        return self._core.server_id

    @property
    def url(self) -> str:
        """The page of the run; "" until the server has answered."""
        return self._core.page_url

    def log(self, metrics: Mapping[str, Value] | MetricDict, step: int | None = None) -> None:
        """Log one value for each metric. When this returns, it survives the death of the process.

        Without a `step` each call is the next one: 0, 1, 2 … NaN and infinity are data. A text is
        no point of a curve: the newest of each name stands in the summary of the run.
        Raises: ValueError, TypeError, RuntimeError. Source: API Documentation, "Python Client Example".
        """
        if isinstance(metrics, MetricDict):
            step = metrics.step if step is None else step
            metrics = metrics.metrics
        if not isinstance(metrics, Mapping):
            raise TypeError(f"log() takes a dict of metrics, not {type(metrics).__name__}.")
        self._log(metrics, step)

    def log_metric(self, name: str, value: Value | MetricValue, step: int | None = None) -> None:
        """As `log({name: value}, step)`. To log several values at one step, give the step."""
        if not isinstance(value, MetricValue):
            self._log({name: value}, step)
            return
        time_us = None if value.timestamp is None else as_time_us(value.timestamp)
        self._log({name: value.value}, value.step if step is None else step, time_us)

    def _log(
        self, values: Mapping[str, object], step: int | None, time_us: int | None = None
    ) -> None:
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        news = as_json_map(texts, "metrics")
        if not texts or len(texts) < len(values):
            numbers = {name: values[name] for name in values if name not in texts}
            self._core.log(numbers, step=step, time_us=time_us)
        if changes := {name: news[name] for name in news if news[name] != self._texts.get(name)}:
            self._core.record("summary", changes)
            self._texts |= changes

    def log_config(self, config: Mapping[str, Any] | ConfigDict) -> None:
        """Merge into the config: what is not named stays. Raises: TypeError, ValueError."""
        self.config.update(_plain(config))

    def log_artifact(self, artifact: Path | ArtifactInfo) -> None:
        """Keep a copy of a file with the run; it is uploaded in the background.

        Raises: ValueError, TypeError, RuntimeError, and OSError for a file that cannot be read.
        """
        info = artifact if isinstance(artifact, ArtifactInfo) else ArtifactInfo(artifact)
        kind = info.artifact_type.value
        self._core.log_artifact(
            check_artifact(info.file_path, info.name, category=kind, metadata=info.metadata)
        )

    def finish(self, status: RunStatus | str = RunStatus.COMPLETED) -> None:
        """End the run, and wait a while for its records to arrive. A second call does nothing.

        Raises: ValueError for "running", which is no end, and for other words.
        """
        ending = ENDINGS.get(RunStatus(status))
        if ending is None:
            raise ValueError(f"A run ends as one of {', '.join(end.value for end in ENDINGS)}.")
        if not self._core.is_finished:
            self._core.finish(ending[0], exit_code=ending[1])
            self._say(f" {RunStatus(status).value}")

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
            self._say(f" {self._core.status}")

    def _record_config(self, changes: dict[str, Any]) -> None:
        self._core.record("config", changes)

    def _say(self, what: str = "") -> None:
        if not self._core.is_silent:
            where = self._core.whereabouts()
            say(f"ai_manager: {self.project_name}/{self.name}{what}: {where}")


def _plain(config: Mapping[str, Any] | ConfigDict) -> Mapping[str, Any]:
    return config.config if isinstance(config, ConfigDict) else config
