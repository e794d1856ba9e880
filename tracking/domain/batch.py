"""A batch of records as the doors hand it over, and the check of one that came by wire.

The wire is described in docs/ingest.md. Checking costs no Python loop over points.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracking.domain.values import check_metric_name, check_project_key, check_run_key
from tracking.errors import InvalidInput, LimitExceeded
from tracking.points import COLUMN_TYPES, Columns

FORMAT = 1
MAX_RECORDS = 1_000_000  # far above what a client sends; bounds what one request may ask for
MAX_EVENTS = 5_000  # half a millisecond each, in which the writer serves nobody else
TIMES_US = range(-62_135_596_800_000_000, 253_402_300_800_000_000)  # what a calendar can show
NO_COLUMNS = Columns(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


Choice = TypeVar("Choice", str, bool)


class Event(NamedTuple):
    seq: int
    kind: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of several metrics, one metric after the other: `counts[i]` of them under `names[i]`."""

    names: list[str]
    counts: NDArray[np.int64]
    columns: Columns
    offsets: NDArray[np.uint32] | None = None  # the record each point came in, from the first one

    @staticmethod
    def none() -> "Points":
        return Points([], np.empty(0, np.int64), NO_COLUMNS)

    @staticmethod
    def of_row(step: int, values: Mapping[str, float], time_us: int) -> "Points":
        """One logged row: a point for each metric."""
        size = len(values)
        columns = Columns(
            np.full(size, step, np.int64),
            np.fromiter(values.values(), np.float64, size),
            np.full(size, time_us, np.int64),
        )
        return Points(list(values), np.ones(size, np.int64), columns)

    def __len__(self) -> int:
        return len(self.columns)

    def after(self, offset: int) -> "Points":
        """Only the points of the records from `offset` on."""
        if offset <= 0 or self.offsets is None or not len(self):
            return self
        keep = self.offsets >= offset
        starts = np.cumsum(self.counts) - self.counts
        counts = np.add.reduceat(keep, starts, dtype=np.int64)
        names = [name for name, count in zip(self.names, counts, strict=True) if count]
        return Points(names, counts[counts > 0], self.columns[keep], self.offsets[keep] - offset)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Records `first_seq` … `last_seq` of a producer. With `run_id` the run is known and allowed.

    `logged_seq` is how far the producer has
    logged by now. Without a `producer` nothing is checked for repeats: that is how plain REST calls come in.
    """

    project: str = ""
    run_uid: uuid.UUID | None = None
    run_key: str = ""
    run_id: int | None = None
    producer: uuid.UUID | None = None
    first_seq: int = 1
    last_seq: int = 0
    logged_seq: int = 0
    points: Points
    events: tuple[Event, ...] = ()
    refuse_if_taken: bool = False
    is_past: bool = False  # written before, by nobody knows whom: no sign of life now

    def after(self, seq: int) -> "Batch":
        """The batch without the records up to `seq`."""
        if seq < self.first_seq:
            return self
        return replace(
            self,
            first_seq=seq + 1,
            points=self.points.after(seq + 1 - self.first_seq),
            events=tuple(event for event in self.events if event.seq > seq),
        )

    def newest_us(self) -> int | None:
        """The newest time that it tells; None if there is none that a calendar could show."""
        told = [event.payload.get("time") for event in self.events]
        times = [time for time in told if type(time) is int and time in TIMES_US]
        if len(self.points):
            times.append(int(self.points.columns.times_us.max()))
        return max(times, default=None)


def parse_batch(wire: object) -> Batch:
    """Check a decoded message and make a batch of it. Raises: InvalidInput with the field's name."""
    if not isinstance(wire, dict):
        raise InvalidInput("The batch must be a map.")
    if wire.get("format") != FORMAT:
        raise InvalidInput(f"format must be {FORMAT}.", field="format")
    run = wire.get("run")
    if not isinstance(run, dict):
        raise InvalidInput("run must be a map with uid and key.", field="run")
    first, last = _whole(wire, "first_seq", 1), _whole(wire, "last_seq", 0)
    if not first - 1 <= last < first + MAX_RECORDS:
        raise InvalidInput("last_seq does not fit first_seq.", field="last_seq")
    return Batch(
        project=check_project_key(wire.get("project")),
        run_uid=_uuid(run.get("uid"), "run.uid"),
        run_key=check_run_key(run.get("key")),
        producer=_uuid(wire.get("producer"), "producer"),
        first_seq=first,
        last_seq=last,
        logged_seq=max(last, _whole(wire, "logged_seq", 0) if "logged_seq" in wire else last),
        points=_parse_points(wire, last - first + 1),
        events=_parse_events(wire.get("events", []), first, last),
        refuse_if_taken=_one_of(wire, "if_taken", ("rename", "refuse")) == "refuse",
        is_past=_one_of(wire, "past", (False, True)) is True,
    )


def _parse_points(wire: dict[str, Any], record_count: int) -> Points:
    names, counts = wire.get("keys", []), wire.get("n", [])
    if not isinstance(names, list) or not isinstance(counts, list) or len(names) != len(counts):
        raise InvalidInput("keys and n must be lists of one length.", field="keys")
    if not names:
        return Points.none()
    for name in names:
        check_metric_name(name)
    if len(set(names)) != len(names):
        raise InvalidInput("keys must name each metric once.", field="keys")
    sizes = _array(counts, np.dtype("<i8"), "n")
    if sizes.min() < 1:
        raise InvalidInput("n must be 1 or more for each metric.", field="n")
    columns = [
        _array(wire.get(key), dtype, key) for key, dtype in zip("svt", COLUMN_TYPES, strict=True)
    ]
    offsets = _array(wire.get("q"), np.dtype("<u4"), "q")
    total = sum(sizes.tolist())  # not by NumPy, where a sum beyond int64 comes round again
    if {len(column) for column in (*columns, offsets)} != {total}:
        raise InvalidInput("s, v, t and q must each have as many items as n adds up to.", field="n")
    if columns[2].min() < TIMES_US.start or columns[2].max() >= TIMES_US.stop:
        raise InvalidInput("t has a time outside the years 1 to 9999.", field="t")
    if offsets.max() >= record_count:
        raise InvalidInput("q points beyond last_seq.", field="q")
    return Points(names, sizes, Columns(*columns), offsets)


def _array(data: object, dtype: np.dtype[Any], field: str) -> NDArray[Any]:
    """A column from little-endian bytes, or from a list as people write it."""
    try:
        if isinstance(data, bytes):
            return np.frombuffer(data, dtype)
        if isinstance(data, list):
            return _array_of_list(data, dtype)
    except (ValueError, TypeError, OverflowError):
        pass
    raise InvalidInput(f"{field} is not a column of {dtype.name}.", field=field)


def _array_of_list(data: list[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        data = [float(item) if isinstance(item, str) else item for item in data]
    array = np.array(data)
    kinds = "if" if dtype.kind == "f" else "iu"
    if array.ndim != 1 or (array.size and array.dtype.kind not in kinds):
        raise ValueError
    column = array.astype(dtype)
    if dtype.kind != "f" and (column != array).any():  # beyond the type, it came round again
        raise ValueError
    return column


def _parse_events(wire: object, first: int, last: int) -> tuple[Event, ...]:
    if not isinstance(wire, list):
        raise InvalidInput("events must be a list.", field="events")
    if len(wire) > MAX_EVENTS:
        raise LimitExceeded(f"events has {len(wire)} items; at most {MAX_EVENTS} are allowed.")
    events = tuple(_parse_event(item) for item in wire)
    seqs = [event.seq for event in events]
    if seqs != sorted(seqs) or (seqs and not first <= seqs[0] <= seqs[-1] <= last):
        raise InvalidInput("events must ascend from first_seq to last_seq.", field="events")
    return events


def _parse_event(item: ArrayLike | object) -> Event:
    if isinstance(item, list | tuple) and len(item) == 3:  # four times as fast as `match`
        seq, kind, payload = item
        if isinstance(seq, int) and isinstance(kind, str) and isinstance(payload, dict):
            return Event(seq, kind, payload)
    raise InvalidInput("An event is [seq, kind, payload].", field="events")


def _whole(wire: dict[str, Any], field: str, minimum: int) -> int:
    value = wire.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(f"{field} must be a whole number.", field=field)
    if not minimum <= value < 2**62:
        raise LimitExceeded(f"{field} is out of range.", field=field)
    return value


def _uuid(value: object, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput(f"{field} must be a UUID as text.", field=field) from None


def _one_of(wire: dict[str, Any], field: str, choices: tuple[Choice, ...]) -> Choice:
    value: Choice = wire.get(field, choices[0])
    if value not in choices or type(value) is not type(choices[0]):  # 1 is no True
        raise InvalidInput(f"{field} must be one of {', '.join(map(str, choices))}.", field=field)
    return value
