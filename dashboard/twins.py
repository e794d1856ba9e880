"""Tables as files: CSV for spreadsheets, JSON for programs."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.http import content_disposition_header

from tracking.domain.values import number_word

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_file(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The rows, heads first, to be saved as `name`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [_cell(value) for value in row] for row in rows
    )
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": str(disposition)},
    )


def json_file(content: dict[str, Any]) -> JsonResponse:
    return JsonResponse(content, json_dumps_params={"ensure_ascii": False})


def _cell(value: Any) -> str:
    """Numbers in full; a text that a spreadsheet would take for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value) if math.isfinite(value) else number_word(value)
    return json.dumps(value, ensure_ascii=False)
