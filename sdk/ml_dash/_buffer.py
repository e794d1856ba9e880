"""Values that wait to be summed up: one row for many batches."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runyard.notices import warn
from runyard.values import as_float

from ml_dash._aggregates import Aggregate, find_aggregate
from ml_dash._session import Session

if TYPE_CHECKING:
    from ml_dash._metrics import MetricBuilder, MetricsManager

Values = dict[str, list[float]]
CACHE_AGGREGATES = ("mean", "min", "max", "count", "std")
PEEK_COUNT = 5


class Waiting:
    """Values in the order they came. Any thread may add some while another takes those there are."""

    def __init__(self) -> None:
        self._rows: deque[dict[str, float]] = deque()  # each of its calls is one step for threads

    def add(self, values: Mapping[str, Any]) -> None:
        """All of them, or none; None counts as NaN. Raises: ValueError."""
        numbers = {
            key: math.nan if value is None else as_float(key, value)
            for key, value in values.items()
        }
        self._rows.append(numbers)

    def take(self) -> list[dict[str, float]]:
        taken = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._rows.popleft())
        return taken

    def give_back(self, taken: list[dict[str, float]]) -> None:
        self._rows.extendleft(reversed(taken))

    def look(self) -> Values:
        return by_key(self._rows.copy())


Buffers = dict[str | None, Waiting]  # by stream


class Buffer:
    """Of one stream, or without a name of all."""

    def __init__(
        self, session: Session, manager: MetricsManager, name: str | None, buffers: Buffers
    ) -> None:
        self._session = session
        self._manager = manager
        self._name = name
        self._buffers = buffers

    def __call__(self, /, **values: Any) -> None:
        """Keep a value for each key; None counts as NaN. Raises: ValueError for what is no number."""
        self._session.check_open()
        self._buffers.setdefault(self._name, Waiting()).add(values)

    def log_summary(self, /, *aggregations: str, **extra: Any) -> None:
        """Log a row for each stream with `key.mean` and so on, and `extra` as it is; then forget the values.

        NaN is left out, and so is a key that has nothing else. Without names it is the mean.
        Raises: ValueError, before anything is forgotten. Source: API Reference, "log_summary".
        """
        wanted = {name: find_aggregate(name) for name in aggregations or ("mean",)}
        names = list(self._buffers) if self._name is None else [self._name]
        for name in [name for name in names if name in self._buffers]:
            taken = self._buffers[name].take()
            try:
                if row := aggregate(by_key(taken), wanted):
                    self._manager(name).log(**(row | extra))
            except BaseException:
                self._buffers[name].give_back(taken)
                raise

    def peek(self, prefix: str | None = None, *keys: str, limit: int = PEEK_COUNT) -> Values:
        """The newest values that wait; without a stream's name the keys are `stream/key`."""
        prefix = prefix or self._name
        if prefix is not None:
            return peek_values(self._buffers.get(prefix, Waiting()).look(), keys, limit)
        return {
            f"{name}/{key}" if name else key: newest
            for name, waiting in list(self._buffers.items())
            for key, newest in peek_values(waiting.look(), keys, limit).items()
        }

    def warn_of_waiting(self) -> None:
        """At the end: what nobody summed up is not kept."""
        count = sum(len(row) for waiting in self._buffers.values() for row in waiting.take())
        if count:
            warn(f"{count} buffered values were not logged: call metrics.buffer.log_summary().")


class SummaryCache:
    """`metrics(name).summary_cache`: the same for one stream, with values that describe the row."""

    def __init__(self, builder: MetricBuilder) -> None:
        self._builder = builder
        self._waiting = Waiting()
        self._words: dict[str, Any] = {}

    def store(self, /, **values: Any) -> None:
        self._waiting.add(values)

    def set(self, /, **words: Any) -> None:
        """What stands in the row as it is, until it is set anew."""
        self._words |= words

    def peek(self, *keys: str, limit: int = PEEK_COUNT) -> Values:
        return peek_values(self._waiting.look(), keys, limit)

    def summarize(self, clear: bool = True) -> None:
        """Log one row with mean, min, max, count and std of each key."""
        wanted = {name: find_aggregate(name) for name in CACHE_AGGREGATES}
        taken = self._waiting.take()
        if row := aggregate(by_key(taken), wanted):
            self._builder.log(**(self._words | row))
        if not clear:
            self._waiting.give_back(taken)


def by_key(rows: Iterable[Mapping[str, float]]) -> Values:
    kept: Values = {}
    for row in rows:
        for key, number in row.items():
            kept.setdefault(key, []).append(number)
    return kept


def aggregate(kept: Values, wanted: Mapping[str, Aggregate]) -> dict[str, float]:
    row: dict[str, float] = {}
    for key, values in kept.items():
        if known := [value for value in values if not math.isnan(value)]:
            row |= {f"{key}.{name}": function(known) for name, function in wanted.items()}
    return row


def peek_values(kept: Values, keys: tuple[str, ...], limit: int) -> Values:
    return {key: kept[key][-limit:] for key in keys or kept if key in kept} if limit > 0 else {}
