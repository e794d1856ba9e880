"""Tables as files: CSV for spreadsheets, JSON for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.http import content_disposition_header

from tracking.domain.tables import csv_text


def csv_file(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The rows, heads first, to be saved as `name`."""
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        csv_text(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": str(disposition)},
    )


def json_file(content: dict[str, Any]) -> JsonResponse:
    return JsonResponse(content, json_dumps_params={"ensure_ascii": False})
