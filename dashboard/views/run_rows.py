"""The rows of a run's streams."""

from django.http import HttpRequest, HttpResponseBase, QueryDict

from dashboard.decorators import page
from dashboard.downloads import send_text
from dashboard.run_parts import render_part
from dashboard.run_rows import csv_pieces, cut_rows, file_name, find_stream, in_turn, jsonl_pieces
from tracking.domain.access import find_run
from tracking.domain.rows import list_streams
from tracking.errors import InvalidInput, NotFound
from tracking.models import Run

FORMATS = {"csv": (csv_pieces, "text/csv"), "jsonl": (jsonl_pieces, "application/jsonl")}


@page
def run_rows(request: HttpRequest, project_key: str, run_key: str) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    if "format" in request.GET:
        return row_file(run, request.GET)
    return render_part(request, run, "rows", {"table": cut_rows(run, request.GET)})


def row_file(run: Run, params: QueryDict) -> HttpResponseBase:
    wanted = params["format"]
    if wanted not in FORMATS:
        raise InvalidInput("format is csv or jsonl.", field="format")
    stream = find_stream(list_streams(run), params)
    if stream is None:
        raise NotFound("This run has no rows")
    pieces, content_type = FORMATS[wanted]
    name = file_name(run, stream, wanted)
    return send_text(in_turn(pieces(run, stream)), name=name, content_type=content_type)
