"""The dashboard API. Source: Dashboard API."""

import hashlib
from typing import Any

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from tracking.api.aspara_dashboard.serializers import RunsSeriesQuery, metrics_by_run
from tracking.api.codecs import ColumnJSONRenderer, ColumnMsgpackRenderer, FormatNegotiation
from tracking.domain.access import find_project
from tracking.domain.series import read_series
from tracking.models import Run

METRICS_EXAMPLE = {
    "project": "my_project",
    "metrics": {
        "loss": {
            "run1": {
                "steps": [0, 1],
                "values": [1.0, 0.5],
                "timestamps": [1767225600000, 1767225601000],
            }
        }
    },
}


class SeriesViewSet(ViewSet):
    """Points for charts."""

    renderer_classes = [ColumnJSONRenderer, ColumnMsgpackRenderer, BrowsableAPIRenderer]
    content_negotiation_class = FormatNegotiation

    @extend_schema(
        operation_id="runs_metrics_api",
        summary="Get metrics for multiple runs",
        parameters=[RunsSeriesQuery],
        responses={
            200: OpenApiResponse(
                {"type": "object"}, "Metric first, then run. Unknown runs are left out."
            )
        },
        examples=[OpenApiExample("Two points", METRICS_EXAMPLE, response_only=True)],
    )
    def runs_metrics(self, request: Request, project: str) -> HttpResponseBase:
        found = find_project(request.user, project)
        query = RunsSeriesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = found.runs.filter(key__in=query.validated_data["runs"])
        # A hundred configs cost more than the points of their runs.
        runs = list(asked.only("project", "key", "revision"))
        etag = _etag(runs, request)
        if unchanged := get_conditional_response(request._request, etag=etag):  # noqa: SLF001 -- DRF offers no other way
            return unchanged
        series = read_series(runs, query.window(), names=query.names())
        body = {"project": found.key, "metrics": metrics_by_run(series)}
        return Response(body, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _etag(runs: list[Run], request: Request) -> str:
    """Changes with each commit to one of the runs, with what is asked and with the answer's form."""
    parts: list[Any] = sorted((run.pk, run.revision) for run in runs)
    parts += [request.get_full_path(), request.accepted_renderer.format]
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
