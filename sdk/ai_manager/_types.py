"""The published types: what may be passed in place of plain dicts and texts."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from runyard.values import as_json_map, as_tags, as_text

Value = float | int | bool | str
Path = str | os.PathLike[str]


class RunStatus(str, Enum):  # noqa: UP042 -- the SDK supports Python 3.10
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class ArtifactType(str, Enum):  # noqa: UP042 -- as above
    MODEL = "model"
    DATA = "data"
    CONFIG = "config"
    OTHER = "other"


class _Fields:
    """Compared and shown by its fields."""

    def dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


class MetricValue(_Fields):
    """One value; a naive `timestamp` is UTC."""

    def __init__(
        self, value: Value, step: int | None = None, timestamp: datetime | None = None
    ) -> None:
        self.value = value
        self.step = step
        self.timestamp = timestamp


class MetricDict(_Fields):
    """One row of metrics. Raises: TypeError."""

    def __init__(self, metrics: Mapping[str, Value], step: int | None = None) -> None:
        if not isinstance(metrics, Mapping):
            raise TypeError(f"metrics must be a dict, not {type(metrics).__name__}.")
        self.metrics = dict(metrics)
        self.step = step


class ConfigDict(_Fields):
    """Parameters, in values that JSON knows. Raises: TypeError, ValueError."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = as_json_map(config, "config")


class ArtifactInfo(_Fields):
    """A file to keep; without a `name` it is the file's own. Raises: TypeError, ValueError."""

    def __init__(
        self,
        file_path: Path,
        name: str | None = None,
        artifact_type: ArtifactType | str = ArtifactType.OTHER,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.file_path = file_path
        self.name = name
        self.artifact_type = ArtifactType(artifact_type)
        self.metadata = as_json_map(metadata or {}, "metadata")


class RunInfo(_Fields):
    """What a run is called and starts with. Raises: TypeError, ValueError."""

    def __init__(
        self,
        name: str,
        config: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        status: RunStatus | str = RunStatus.RUNNING,
    ) -> None:
        self.name = as_text(name, "name")
        self.config = as_json_map(config or {}, "config")
        self.tags = as_tags(tags or [])
        self.status = RunStatus(status)


class MetricInterface:
    """What a run does; for type hints, and for doubles in tests."""

    def log(self, metrics: Mapping[str, Value] | MetricDict, step: int | None = None) -> None:
        raise NotImplementedError

    def log_metric(self, name: str, value: Value | MetricValue, step: int | None = None) -> None:
        raise NotImplementedError

    def log_config(self, config: Mapping[str, Any] | ConfigDict) -> None:
        raise NotImplementedError

    def log_artifact(self, artifact: Path | ArtifactInfo) -> None:
        raise NotImplementedError

    def finish(self, status: RunStatus | str = RunStatus.COMPLETED) -> None:
        raise NotImplementedError
