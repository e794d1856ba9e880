"""Log lines: written in batches, read back by level, time and words."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.fields import EPOCH
from tracking.api.ml_dash import examples
from tracking.api.ml_dash.ids import find_experiment
from tracking.api.ml_dash.serializers import LogsQuery, LogsSerializer
from tracking.api.ml_dash.viewsets import REFUSALS, DashViewSet, checked_query
from tracking.dialects import zulu_iso
from tracking.domain import writer
from tracking.domain.log_lines import NewLine, append_log_lines
from tracking.domain.mending import mend_map, mend_text
from tracking.models import LogLine

TIMES = {"startTime": "time__gte", "endTime": "time__lte"}


@extend_schema(tags=["ML-Dash"])
class LogViewSet(DashViewSet):
    bodies = {"create_logs": LogsSerializer}

    @extend_schema(
        operation_id="dash_create_logs",
        summary="Add lines to an experiment's log",
        description="Whatever is in the lines, they are kept.",
        responses={200: examples.LOGGED, **REFUSALS},
    )
    def create_logs(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment, write=True)
        lines = [read_line(one) for one in self.checked_body(request).validated_data["logs"]]
        first = writer.write(partial(append_log_lines, run, lines))
        return Response(
            {
                "created": len(lines),
                "startSequence": first,
                "endSequence": first + len(lines) - 1,
                "experimentId": experiment,
            }
        )

    @extend_schema(
        operation_id="dash_query_logs",
        summary="Read an experiment's log",
        parameters=[LogsQuery],
        responses={200: examples.LOGS, **REFUSALS},
    )
    def query_logs(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment)
        query = checked_query(LogsQuery, request)
        start, end = query["offset"], query["offset"] + query["limit"]
        found = list(_select(run.log_lines.all(), query)[start : end + 1])
        shown = [write_line(line) for line in found[: query["limit"]]]
        return Response({"logs": shown, "hasMore": len(found) > query["limit"]})


def read_line(sent: Any) -> NewLine:
    """The line of what was sent as one."""
    said = sent if isinstance(sent, dict) else {"message": sent}
    return NewLine(
        time=_read_time(said.get("timestamp")) or timezone.now(),
        level=mend_text(said.get("level") or "info").lower(),
        message=mend_text(said.get("message", "")),
        metadata=mend_map(said["metadata"]) if said.get("metadata") else {},
    )


def _read_time(text: Any) -> datetime | None:
    """UTC, where nothing else is said; None for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _select(lines: QuerySet[LogLine], query: dict[str, Any]) -> QuerySet[LogLine]:
    wanted: dict[str, Any] = {
        lookup: EPOCH + timedelta(microseconds=query[name])
        for name, lookup in TIMES.items()
        if name in query
    }
    if "level" in query:
        wanted["level__in"] = [level.strip().lower() for level in query["level"].split(",")]
    if search := query.get("search"):
        wanted["message__icontains"] = search
    order = ("time", "seq") if query["orderBy"] == "timestamp" else ("seq",)
    sign = "-" if query["order"] == "desc" else ""
    return lines.filter(**wanted).order_by(*(f"{sign}{name}" for name in order))


def write_line(line: LogLine) -> dict[str, Any]:
    said = {
        "id": str(line.pk),
        "sequenceNumber": line.seq,
        "timestamp": zulu_iso(line.time),
        "level": line.level,
        "message": line.message,
    }
    return said | ({"metadata": line.metadata} if line.metadata else {})
