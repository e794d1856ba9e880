"""The numbers of rows as series: a column at a time where rows are alike, as nearly all are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from tracking.domain.batch import TIMES_US, Points
from tracking.domain.values import JSON_DEPTH
from tracking.models import NAME_LENGTH
from tracking.points import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracking.domain.rows import LoggedRow, StoredRow

TIME_FIELD = "_ts"  # seconds, as ML-Dash writes them into each row
NUMBERS = frozenset({float, int, bool})
FLAT = NUMBERS | {str, type(None), list}  # none has names of its own in it
TEXT = frozenset({str})

Pieces = dict[str, list[Columns]]  # by the names of metrics


@dataclass(slots=True)
class _Series:
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times_us: list[int] = field(default_factory=list)


def collect_series(
    pieces: Pieces, rows: Sequence[LoggedRow], first_index: int, warnings: dict[str, None]
) -> None:
    """Add the numbers of one stream's rows to `pieces`."""
    index = first_index
    for _, alike in groupby(rows, key=lambda row: tuple(row.fields)):
        stretch = list(alike)
        found = _collect_columns(stretch, index)
        if found is None:
            found = _collect_row_by_row(stretch, index, warnings)
        for name, columns in found.items():
            pieces.setdefault(name, []).append(columns)
        index += len(stretch)


def as_points(pieces: Pieces) -> Points:
    series = [Columns.join(parts) for parts in pieces.values()]
    return Points(
        list(pieces), np.array([len(one) for one in series], np.int64), Columns.join(series)
    )


def _collect_columns(rows: Sequence[LoggedRow], first_index: int) -> dict[str, Columns] | None:
    """Of rows with the same names in the same order; None where that takes a closer look."""
    names = list(rows[0].fields)
    if not TEXT.issuperset(map(type, names)):
        return None
    columns = dict(
        zip(names, zip(*(row.fields.values() for row in rows), strict=True), strict=True)
    )
    kinds = {name: set(map(type, column)) for name, column in columns.items()}
    if not all(FLAT.issuperset(kind) for kind in kinds.values()):
        return None
    try:
        times_us = _times_us(rows, columns.pop(TIME_FIELD, None))
        steps = np.arange(first_index, first_index + len(rows))
        prefix = _prefix(rows[0])
        return {
            f"{prefix}{name}": _pick(
                column, steps, times_us, is_whole=NUMBERS.issuperset(kinds[name])
            )
            for name, column in columns.items()
            if not NUMBERS.isdisjoint(kinds[name])
        }
    except OverflowError:  # a number beyond a float64
        return None


def _pick(
    column: Sequence[Any], steps: NDArray[np.int64], times_us: NDArray[np.int64], *, is_whole: bool
) -> Columns:
    """The numbers in a column."""
    if is_whole:
        return Columns(steps, np.array(column, np.float64), times_us)
    is_number = np.array([type(value) in NUMBERS for value in column])
    values = np.array([value for value in column if type(value) in NUMBERS], np.float64)
    return Columns(steps[is_number], values, times_us[is_number])


def _times_us(rows: Sequence[LoggedRow], said: Sequence[Any] | None) -> NDArray[np.int64]:
    """When the rows say that they were; where they do not, when they were logged."""
    logged = np.array([row.time_us for row in rows], np.int64)
    if said is None:
        return logged
    if not NUMBERS.issuperset(map(type, said)):
        return np.array([time_us_of(row) for row in rows], np.int64)
    with np.errstate(over="ignore"):
        times_us = np.rint(np.array(said, np.float64) * 1e6)
    is_fit = (times_us >= TIMES_US.start) & (times_us < TIMES_US.stop)
    return np.where(is_fit, np.where(is_fit, times_us, 0).astype(np.int64), logged)


def _collect_row_by_row(
    rows: Sequence[LoggedRow], first_index: int, warnings: dict[str, None]
) -> dict[str, Columns]:
    series: dict[str, _Series] = {}
    for index, row in enumerate(rows, first_index):
        time_us = time_us_of(row)
        for name, value in _numbers(row.fields, _prefix(row)):
            try:
                number = float(value)
            except OverflowError:
                warnings[f"{name[:NAME_LENGTH]!r}: a number is beyond a float64."] = None
                continue
            one = series.setdefault(name, _Series())
            one.steps.append(index)
            one.values.append(number)
            one.times_us.append(time_us)
    return {
        name: Columns(
            np.array(one.steps, np.int64),
            np.array(one.values, np.float64),
            np.array(one.times_us, np.int64),
        )
        for name, one in series.items()
    }


def _prefix(row: LoggedRow) -> str:
    return f"{row.stream}/" if row.stream else ""


def _numbers(fields: Mapping[str, Any], prefix: str, depth: int = 1) -> Iterator[tuple[str, float]]:
    """Nested maps add to the name; lists and texts are no series, and neither is the time."""
    for key, value in fields.items():
        if isinstance(value, int | float):
            if depth > 1 or key != TIME_FIELD:
                yield f"{prefix}{key}", value
        elif isinstance(value, Mapping) and depth < JSON_DEPTH:
            yield from _numbers(value, f"{prefix}{key}/", depth + 1)


def time_us_of(row: LoggedRow | StoredRow) -> int:
    """When it was, as the row itself says in times that a calendar can show, else when it was logged."""
    said = row.fields.get(TIME_FIELD)
    if isinstance(said, int | float) and abs(said) < TIMES_US.stop / 1e6:
        time_us = round(said * 1e6)
        return time_us if time_us in TIMES_US else row.time_us
    return row.time_us
