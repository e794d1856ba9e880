"""Pages of rows as columns: the format `ml-dash.metric-rows.v1`, which newer clients ask for."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tracking.api.ml_dash.streams import stream_id
from tracking.domain.rows import StoredRow, count_rows, read_rows
from tracking.domain.values import INT64, number_word
from tracking.errors import InvalidInput
from tracking.models import Run

Kinds = list[tuple[str, str]]  # name and type of each column


class InvalidCursor(InvalidInput):
    """A cursor that was not told by an answer."""


def read_page(run: Run, stream: str, *, limit: int, cursor: str) -> dict[str, Any]:
    """Raises: InvalidCursor."""
    start = _read_cursor(cursor)
    rows = read_rows(run, stream, start=start, limit=limit)
    end = start + len(rows)
    has_more = bool(rows) and end < count_rows(run, stream)
    return {
        "format": "ml-dash.metric-rows.v1",
        "visibility": "committed",
        "order": "storage",
        "metricId": stream_id(run, stream),
        "blocks": write_blocks(rows),
        "returned": len(rows),
        "hasMore": has_more,
        "nextCursor": str(end) if has_more else None,
    }


def _read_cursor(cursor: str) -> int:
    """The number of a row: rows stay where they are."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise InvalidCursor("The cursor is none of ours: begin without one.", field="cursor")
    return int(cursor or 0)


def write_blocks(rows: Sequence[StoredRow]) -> list[dict[str, Any]]:
    """Neighbours of the same columns together."""
    kinds = [_kinds(row.fields) for row in rows]
    changes = [place for place, (one, two) in enumerate(pairwise(kinds), 1) if one != two]
    return [
        {
            "columns": [{"name": name, "type": kind} for name, kind in kinds[start]],
            "rows": [_cells(row.fields, kinds[start]) for row in rows[start:end]],
        }
        for start, end in pairwise([0, *changes, len(rows)])
        if start < end
    ]


def _kinds(fields: dict[str, Any]) -> Kinds:
    return [(name, _kind(value)) for name, value in fields.items()]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, int):
        return "int64" if value in INT64 else "uint64"
    return "utf8"


def _cells(fields: dict[str, Any], kinds: Kinds) -> list[Any]:
    return [_cell(value, kind) for value, (_, kind) in zip(fields.values(), kinds, strict=True)]


def _cell(value: Any, kind: str) -> Any:
    if kind == "float64":
        if value == 0 and math.copysign(1, value) < 0:
            return "-0"
        return value if math.isfinite(value) else number_word(value)
    if kind in {"int64", "uint64"}:
        return str(value)
    if kind == "bool" or value is None or isinstance(value, str):
        return value
    return json.dumps(value)  # a list or an object
