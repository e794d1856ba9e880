"""Rows from a door that may refuse none of them: see `mending`."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tracking.domain.mending import mend_map, mend_stream
from tracking.domain.rows import (
    Appended,
    LoggedRow,
    append_rows,
    count_rows,
    describe_stream,
    note_warnings,
)
from tracking.domain.run_states import lock_run


def take_rows(
    run_id: int, name: str, rows: Sequence[object], *, words: Mapping[str, Any]
) -> Appended:
    """Add rows to the stream of that name; `words` is what is said of it the first time.

    What is no object stands at `value` in a row. The run is warned of whatever is not as it was
    sent. Call it inside a transaction. Raises: RunDeleted.
    """
    run = lock_run(run_id)
    stream, now_us = mend_stream(name), time.time_ns() // 1_000
    fields = [row if isinstance(row, dict) else {"value": row} for row in rows]
    places = append_rows(run, [LoggedRow(stream, now_us, one) for one in fields])
    describe_stream(run, stream, mend_map(dict(words)))
    warnings = []
    if stream != name:
        warnings.append(f"{stream}: a stream whose name is too long, or cannot be printed.")
    if any(not isinstance(row, dict) for row in rows):
        warnings.append(f"{stream or 'None'}: a row that is no object.")
    note_warnings(run, warnings)
    return places.get(stream) or Appended(count_rows(run, stream), 0)


def describe_run_stream(run_id: int, stream: str, *, words: Mapping[str, Any]) -> None:
    """As `describe_stream`, whatever the words are. Raises: RunDeleted."""
    describe_stream(lock_run(run_id), stream, mend_map(dict(words)))
