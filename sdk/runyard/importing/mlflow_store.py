"""What MLflow's kinds of storage have in common."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from runyard.importing.foreign import time_us
from runyard.importing.source import Record
from runyard.records import Lost, encode_points

PREFIX = "mlflow."  # of the tags that MLflow sets itself
ENDS = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "cancelled"}
MAX_SECONDS = 10**11  # old versions noted seconds; as milliseconds this is 1973


class StoredRun(NamedTuple):
    """`ended_as`: "" while it runs. `home`: its directory, where it has one."""

    id: str
    experiment: str
    name: str
    ended_as: str
    started_ms: int | None
    ended_ms: int | None
    artifact_uri: str
    is_deleted: bool
    home: Path | None = None


class Metrics(Protocol):
    """Points of one origin. `told`: after reading, what was left out and whether it is a loss."""

    name: str
    identity: str

    def read(self, after: int) -> Iterator[Record]: ...

    def told(self) -> list[tuple[str, bool]]: ...


class Store(Protocol):
    path: Path
    kind: str

    def runs(self) -> Iterator[StoredRun]:
        """Deleted ones, too."""

    def tags(self, run: StoredRun) -> dict[str, str]: ...

    def params(self, run: StoredRun) -> dict[str, str]: ...

    def metrics(self, run: StoredRun) -> Iterator[Metrics]: ...

    def last_us(self, run: StoredRun) -> int:
        """When something was noted last."""


def ms_to_us(number: object) -> int | None:
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    if abs(number) > 10**15:
        return None
    return time_us(number if abs(number) < MAX_SECONDS else number / 1000)


def encode_metric(name: str, value: float, step: int, at_ms: int, default_us: int) -> Record:
    at_us = ms_to_us(at_ms)
    try:
        return encode_points((name,), [value], step, default_us if at_us is None else at_us)
    except ValueError as error:
        return Lost(1, str(error))
