"""Tables as text, for spreadsheets and programs."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from tracking.domain import audit
from tracking.domain.fields import read_fields, suggest_fields
from tracking.domain.values import number_word
from tracking.models import Run

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
EXPORT_ROWS = 10_000
EXPORT_FIELDS = 500  # beyond that a spreadsheet shows nothing any more
ROWS_AT_ONCE = 500


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [_cell(value) for value in row] for row in rows
    )
    return text.getvalue()


def export_runs(runs: QuerySet[Run]) -> Iterator[list[Any]]:
    """The heads, then a row for each of the first 10,000 runs: all that is known to them."""
    fields = suggest_fields(runs, limit=EXPORT_FIELDS)
    yield ["project", "run", *(field.name for field in fields)]
    found = list(audit.named(runs)[:EXPORT_ROWS])
    for start in range(0, len(found), ROWS_AT_ONCE):
        some = found[start : start + ROWS_AT_ONCE]
        values = read_fields(some, fields)
        yield from ([run.project.key, run.key, *map(plain, values[run.pk])] for run in some)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: times as ISO text, durations in seconds."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.total_seconds() if hasattr(value, "total_seconds") else value


def _cell(value: Any) -> str:
    """Numbers in full; a text that a spreadsheet would take for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value) if math.isfinite(value) else number_word(value)
    return json.dumps(value, ensure_ascii=False)
