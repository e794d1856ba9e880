"""The streams as the documentation shows them. Consumers answer these paths: tracking/routing.py."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.viewsets import ViewSet

from tracking.api.aspara_dashboard import examples
from tracking.api.schema import Endpoint
from tracking.api.viewsets import refusal
from tracking.dialects import UNKNOWN_RUNS_HEADER

EVENT_STREAM = (200, "text/event-stream")
DESCRIPTION = (
    "`metric` events, one per logged step, and `status` events, one when the stream begins and one"
    " for each change; `deleted` when a run is deleted. A stream that breaks is resumed with the"
    " header `Last-Event-ID`, or with `since`, which brings the points from that"
    " time on: a point may come twice, none is left out."
)
SINCE = OpenApiParameter("since", OpenApiTypes.INT, description="UNIX ms, included")
RUNS = OpenApiParameter(
    "runs", OpenApiTypes.STR, required=True, description="names of runs, with commas between them"
)
INVALID = refusal("What is asked is wrong.", "No runs specified")


@extend_schema(tags=["Streams"])
class StreamViewSet(ViewSet):
    """Described here, never asked."""

    @extend_schema(
        operation_id="stream_metrics",
        summary="SSE stream for a run",
        description=DESCRIPTION,
        parameters=[SINCE],
        responses={
            EVENT_STREAM: OpenApiResponse(OpenApiTypes.STR, examples=examples.EVENTS),
            400: INVALID,
            404: refusal("No such run.", "Run 'run1' not found in project 'my_project'"),
        },
    )
    def stream_metrics(self, request: Any, project: str, run: str) -> None:
        raise NotImplementedError

    @extend_schema(
        operation_id="stream_multiple_runs",
        summary="SSE stream for multiple runs",
        description=f"{DESCRIPTION} Unknown runs are named in the header `{UNKNOWN_RUNS_HEADER}`.",
        parameters=[RUNS, SINCE],
        responses={
            EVENT_STREAM: OpenApiResponse(OpenApiTypes.STR, examples=examples.EVENTS),
            400: INVALID,
            404: refusal("No such project.", "Project 'my_project' not found"),
        },
    )
    def stream_multiple_runs(self, request: Any, project: str) -> None:
        raise NotImplementedError


RUNS_PATH = "/api/projects/{project}/runs"
RUNS_REGEX = r"^api/projects/(?P<project>[^/]+)/runs"
ENDPOINTS: list[Endpoint] = [
    (
        f"{RUNS_PATH}/stream",
        rf"{RUNS_REGEX}/stream$",
        "GET",
        StreamViewSet.as_view({"get": "stream_multiple_runs"}),
    ),
    (
        f"{RUNS_PATH}/{{run}}/stream",
        rf"{RUNS_REGEX}/(?P<run>[^/]+)/stream$",
        "GET",
        StreamViewSet.as_view({"get": "stream_metrics"}),
    ),
]


def add_streams(endpoints: list[Endpoint]) -> list[Endpoint]:
    """The OpenAPI schema knows Django's paths only; these stand beside the list of runs."""
    is_here = any(path == RUNS_PATH for path, *_ in endpoints)
    return endpoints + ENDPOINTS if is_here else endpoints
