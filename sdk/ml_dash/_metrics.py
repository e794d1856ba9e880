"""`experiment.metrics`: streams of rows. A row is anything JSON knows, with a time in `_ts`."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from runyard.dash.names import stream_name, stream_path
from runyard.values import MAX_NAME_LENGTH, as_float, as_json_map, as_tags, as_text

from ml_dash._buffer import Buffer, Buffers, SummaryCache
from ml_dash._session import Session
from ml_dash.exceptions import ConfigurationError

INHERIT = -1  # as `_ts`: the time of this thread's row before
BIGGEST = 2**63


class MetricsManager:
    """Called with a name it gives that stream; its own rows go to the stream without one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._builders: dict[str | None, MetricBuilder] = {}
        self._buffers: Buffers = {}
        self._times = Times()

    def __call__(
        self,
        prefix: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> MetricBuilder:
        """The builder of a stream; what is said of it the first time stays.

        Raises: ValueError. Source: API Reference, "exp.metrics(prefix)".
        """
        if prefix not in self._builders:
            name = None if prefix is None else _check_stream(prefix)
            words = _describe(description, tags, metadata)
            self._builders[prefix] = MetricBuilder(
                self._session,
                self._times,
                Buffer(self._session, self, name, self._buffers),
                name,
                words,
            )
        return self._builders[prefix]

    def log(
        self, /, *, _ts: float | None = None, _flush: bool = False, **data: Any
    ) -> MetricsManager:
        """A row for each group, `train={…}`, with the plain values in it, and one of these alone.

        `_ts`: seconds, or -1 for the time of the row before; a group may have its own.
        Raises: ValueError, TypeError.
        """
        groups = {key: value for key, value in data.items() if isinstance(value, Mapping)}
        shared = {key: value for key, value in data.items() if key not in groups}
        logged: dict[str | None, dict[str, Any]] = {None: shared} if shared or not groups else {}
        logged |= {name: {**shared, **as_json_map(groups[name], name)} for name in groups}
        time_s = self._times.find(_ts)
        rows = [
            (self(name), {**clean_row(row), "_ts": self._times.find(row.get("_ts", time_s))})
            for name, row in logged.items()
        ]
        for builder, row in rows:  # all of them are in order
            builder.append(row)
        return self.flush() if _flush else self

    @property
    def buffer(self) -> Buffer:
        """`buffer.log_summary()` sums up all streams."""
        return Buffer(self._session, self, None, self._buffers)

    def flush(self) -> MetricsManager:
        """Wait until what was logged is where it belongs, as far as that is possible now."""
        self._session.store.flush()
        return self

    def read(self, start_index: int = 0, limit: int = 100) -> dict[str, Any]:
        return self(None).read(start_index, limit)

    def stats(self) -> dict[str, Any]:
        return self(None).stats()

    def list_all(self) -> list[dict[str, Any]]:
        """What there is of each stream."""
        return self._session.store.list_metrics()


def _check_stream(prefix: str) -> str | None:
    """Raises: ValueError for what the disk or the server would not have."""
    name = stream_name(stream_path(as_text(prefix, "The name of metrics")))
    if name is not None and (len(name) > MAX_NAME_LENGTH or not name.isprintable()):
        raise ValueError(
            f"The name of metrics has at most {MAX_NAME_LENGTH} printable characters, not {name[:80]!r}."
        )
    return name


class Times:
    """What `_ts` means."""

    def __init__(self) -> None:
        self._last = threading.local()

    def find(self, given: float | None) -> float:
        """Seconds since 1970. Raises: ConfigurationError, ValueError."""
        if given == INHERIT:
            if not hasattr(self._last, "time_s"):
                raise ConfigurationError("_ts=-1 needs a row before it in this thread.")
            return float(self._last.time_s)
        time_s = time.time() if given is None else as_float("_ts", given)
        if not math.isfinite(time_s):
            raise ValueError(f"_ts must be seconds since 1970, not {given!r}.")
        self._last.time_s = time_s
        return time_s


class MetricBuilder:
    """One stream."""

    def __init__(
        self,
        session: Session,
        times: Times,
        buffer: Buffer,
        name: str | None,
        words: Mapping[str, Any],
    ) -> None:
        self._session = session
        self._times = times
        self.buffer = buffer  # called with values it keeps them for `log_summary`
        self._name = name
        self._words = words
        self.summary_cache = SummaryCache(self)

    def log(
        self, /, *, _ts: float | None = None, _flush: bool = False, **data: Any
    ) -> MetricBuilder:
        """Add a row. NaN, texts and lists are data. When this returns, it survives the process.

        Raises: ValueError, TypeError, ExperimentError. Source: API Reference, "metrics.log(**data)".
        """
        self.append({**clean_row(data), "_ts": self._times.find(_ts)})
        return self.flush() if _flush else self

    def append(self, row: Mapping[str, Any]) -> None:
        """A row as it is to be kept."""
        self._session.store.append_row(self._name, row, self._words)

    def flush(self) -> MetricBuilder:
        self._session.store.flush()
        return self

    def read(self, start_index: int = 0, limit: int = 100) -> dict[str, Any]:
        """`{data: [{index, data, createdAt}], startIndex, endIndex, total, hasMore}`.

        `total` is of this page, `endIndex` its last. A stream without rows is an empty page.
        Raises: ValueError, NetworkError.
        """
        for name, value in (("start_index", start_index), ("limit", limit)):
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < BIGGEST:
                raise ValueError(f"{name} must be a whole number from 0 on, not {value!r}.")
        return self._session.store.read_rows(self._name, start_index, limit)

    def stats(self) -> dict[str, Any]:
        """How many rows there are, the first and the last of them, and when. Raises: FileNotFoundError."""
        return self._session.store.stats(self._name)


def clean_row(data: Mapping[Any, Any]) -> Mapping[str, Any]:
    """In the SDK's values; a row of plain numbers, which most are, passes as it is."""
    for value in data.values():
        if type(value) is not float and not _is_small_int(value):
            return as_json_map(data, "metrics")
    return data


def _is_small_int(value: object) -> bool:
    return type(value) is int and -BIGGEST <= value < BIGGEST


def _describe(
    description: str | None, tags: Iterable[str] | None, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    words = {
        "description": as_text(description or "", "description"),
        "tags": as_tags(tags or ()),
        "metadata": as_json_map(metadata or {}, "metadata"),
    }
    return {key: value for key, value in words.items() if value}
