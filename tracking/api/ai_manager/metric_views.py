"""Metrics of the AI Manager API. Source: AI Manager API, "Metrics"."""

from functools import partial
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from tracking.api.ai_manager import examples
from tracking.api.ai_manager.metric_serializers import (
    HistorySerializer,
    NewPointSerializer,
    NewRowSerializer,
    PointSerializer,
    PointsQuery,
    SummarySerializer,
    write_history,
    write_points,
)
from tracking.api.ai_manager.serializers import MessageSerializer
from tracking.api.ai_manager.throttles import spend_points
from tracking.api.ai_manager.viewsets import (
    RUN_REFUSALS,
    ManagerViewSet,
    checked_query,
    read_id,
)
from tracking.api.viewsets import refusal
from tracking.domain import writer
from tracking.domain.access import find_run_by_id
from tracking.domain.ingest import record_row
from tracking.domain.point_list import list_points, read_history, record_point
from tracking.models import Run

RUN_ID = OpenApiParameter("run_id", OpenApiTypes.INT, "path")


@extend_schema(tags=["Metrics"])
class MetricViewSet(ManagerViewSet):
    bodies = {"log_metric": NewPointSerializer, "log_batch": NewRowSerializer}

    def get_throttles(self) -> list[BaseThrottle]:
        """Of what is logged the points are counted, by the second, and not the requests."""
        return [] if self.action in self.bodies else super().get_throttles()

    def find_run(self, request: Request, run_id: str, *, write: bool = False) -> Run:
        return find_run_by_id(request.user, read_id(run_id, "run_id"), write=write)

    @extend_schema(
        operation_id="manager_log_metric",
        summary="Log a single metric",
        parameters=[RUN_ID],
        responses={200: PointSerializer, **RUN_REFUSALS},
    )
    def log_metric(self, request: Request, run_id: str) -> Response:
        found, body = self.find_run(request, run_id, write=True), self.checked_body(request)
        row = body.row()
        spend_points(self.caller(), 1)
        point = writer.write(
            partial(record_point, found, user=request.user, **row), run_id=found.pk
        )
        return Response(write_points(found.pk, [point])[0])

    @extend_schema(
        operation_id="manager_log_metrics_batch",
        summary="Log multiple metrics at once",
        parameters=[RUN_ID],
        responses={200: MessageSerializer, **RUN_REFUSALS},
        examples=[examples.LOGGED],
    )
    def log_batch(self, request: Request, run_id: str) -> Response:
        found, body = self.find_run(request, run_id, write=True), self.checked_body(request)
        row = body.row()
        spend_points(self.caller(), len(row["values"]))
        if row["values"]:
            writer.write(partial(record_row, found, user=request.user, **row), run_id=found.pk)
        return Response({"message": f"Logged {len(row['values'])} metrics successfully"})

    @extend_schema(
        operation_id="manager_get_metrics",
        summary="Get metrics for a run",
        description="Point by point, by time.",
        parameters=[RUN_ID, PointsQuery],
        responses={200: PointSerializer(many=True), **RUN_REFUSALS},
    )
    def get_metrics(self, request: Request, run_id: str) -> Response:
        found, query = self.find_run(request, run_id), checked_query(PointsQuery, request)
        return Response(write_points(found.pk, list_points(found, **query.options())))

    @extend_schema(
        operation_id="manager_get_metric_history",
        summary="Get metric history for a specific metric",
        description="By time. The name may have slashes in it.",
        parameters=[RUN_ID],
        responses={
            200: HistorySerializer,
            **RUN_REFUSALS,
            404: refusal("There is no such metric.", "Metric not found"),
        },
    )
    def get_history(self, request: Request, run_id: str, metric_name: str) -> Response:
        found = self.find_run(request, run_id)
        return Response(write_history(*read_history(found, metric_name)))

    @extend_schema(
        operation_id="manager_get_metrics_summary",
        summary="Get summary statistics for all metrics in a run",
        parameters=[RUN_ID],
        responses={200: SummarySerializer(many=True), **RUN_REFUSALS},
    )
    def get_summary(self, request: Request, run_id: str) -> Response:
        metrics: Any = self.find_run(request, run_id).metrics.order_by("name")
        return Response(SummarySerializer(metrics, many=True).data)
