"""Metrics: streams of rows, each kept as it was logged."""

from functools import partial
from typing import Any
from urllib.parse import unquote

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.errors import exception_handler
from tracking.api.ml_dash import examples, streams
from tracking.api.ml_dash.ids import find_experiment
from tracking.api.ml_dash.metric_rows import InvalidCursor, read_page
from tracking.api.ml_dash.renderers import ExactMsgpackRenderer, WordJSONRenderer
from tracking.api.ml_dash.serializers import (
    CursorQuery,
    RowSerializer,
    RowsQuery,
    RowsSerializer,
    StreamsQuery,
)
from tracking.api.ml_dash.viewsets import REFUSALS, DashViewSet, checked_query, stream_called
from tracking.domain import writer
from tracking.domain.mending import mend_stream
from tracking.domain.rows import Appended, count_rows
from tracking.domain.streams import take_rows
from tracking.errors import NotFound
from tracking.models import Run


@extend_schema(tags=["ML-Dash"])
class MetricViewSet(DashViewSet):
    """`None` in an address is the stream without a name. Names may have slashes in them."""

    bodies = {"append": RowSerializer, "append_batch": RowsSerializer, "append_cut": RowsSerializer}
    renderer_classes = [WordJSONRenderer, ExactMsgpackRenderer]

    @extend_schema(
        operation_id="dash_append_to_metric",
        summary="Append a row to a metric",
        responses={200: examples.APPENDED, **REFUSALS},
    )
    def append(self, request: Request, experiment: str, metric: str) -> Response:
        run, place = self._take(request, experiment, metric)
        told = streams.write_appended(run, _stream(metric), place)
        return Response(told | {"index": str(place.first_index)})

    @extend_schema(
        operation_id="dash_append_batch_to_metric",
        summary="Append rows to a metric",
        description="Whatever is in the rows, they are kept; what cannot be drawn is told on the"
        " run's page.",
        responses={200: examples.APPENDED_ROWS, **REFUSALS},
    )
    def append_batch(self, request: Request, experiment: str, metric: str) -> Response:
        run, place = self._take(request, experiment, metric)
        last = place.first_index + place.count - 1
        span = {"startIndex": str(place.first_index), "endIndex": str(last)}
        told = streams.write_appended(run, _stream(metric), place)
        return Response(told | span | {"count": place.count})

    @extend_schema(
        operation_id="dash_append_batch_to_cut_metric",
        summary="Append rows to a metric that has ? or # in its name",
        description="The published client does not escape names, and repeats for ever what is"
        " refused: what follows a `?` is taken from the query, and a name cut at `#` ends with it.",
        responses={200: examples.APPENDED_ROWS, **REFUSALS},
    )
    def append_cut(self, request: Request, experiment: str, metric: str) -> Response:
        rest = unquote(request.META["QUERY_STRING"]).removesuffix("/append-batch")
        name = f"{metric}?{rest}" if request.META["QUERY_STRING"] else f"{metric}#"
        return self.append_batch(request, experiment, name)

    def _take(self, request: Request, experiment: str, metric: str) -> tuple[Run, Appended]:
        run = find_experiment(request.user, experiment, write=True)
        body, stream = self.checked_body(request), stream_called(metric)
        take = partial(take_rows, run.pk, stream, body.rows(), words=body.words())
        return run, writer.write(take)

    @extend_schema(
        operation_id="dash_list_metrics",
        summary="List the metrics of an experiment",
        parameters=[StreamsQuery],
        responses={200: examples.STREAMS, **REFUSALS},
    )
    def list_metrics(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment)
        query = checked_query(StreamsQuery, request)
        start, end = query["offset"], query["offset"] + query["limit"]
        found = list(streams.metrics_of(run)[start : end + 1])
        page = streams.list_page(run, found[: query["limit"]])
        return Response({"metrics": page, "hasMore": len(found) > query["limit"]})

    @extend_schema(
        operation_id="dash_read_metric_data",
        summary="Read rows by number",
        parameters=[RowsQuery],
        responses={200: examples.ROWS, **REFUSALS},
    )
    def read_data(self, request: Request, experiment: str, metric: str) -> Response:
        run, stream = find_experiment(request.user, experiment), _stream(metric)
        query = checked_query(RowsQuery, request)
        span = query["startIndex"], query["limit"]
        read = streams.read_rest if query["bufferOnly"] else streams.read_span
        return Response(read(run, stream, *span))

    @extend_schema(
        operation_id="dash_get_metric_stats",
        summary="What is known of a metric",
        responses={200: examples.STATS, **REFUSALS},
    )
    def get_stats(self, request: Request, experiment: str, metric: str) -> Response:
        return Response(
            streams.describe(find_experiment(request.user, experiment), _stream(metric))
        )

    @extend_schema(
        operation_id="dash_download_metric_chunk",
        summary="Read a chunk of 10,000 rows",
        responses={200: examples.CHUNK, **REFUSALS},
    )
    def get_chunk(self, request: Request, experiment: str, metric: str, chunk: str) -> Response:
        run = find_experiment(request.user, experiment)
        return Response(streams.read_chunk(run, _stream(metric), int(chunk)))


@extend_schema(tags=["ML-Dash"])
class MetricRowsViewSet(DashViewSet):
    """As columns. Refusals have the keys that its client looks for."""

    @extend_schema(
        operation_id="dash_read_metric_rows",
        summary="Read rows by cursor",
        description="In the format `ml-dash.metric-rows.v1`. A refusal is `{code, message}`.",
        parameters=[CursorQuery],
        responses={200: examples.PAGE, **REFUSALS},
    )
    def read_rows(self, request: Request, experiment: str, metric: str) -> Response:
        run, stream = find_experiment(request.user, experiment), _stream(metric)
        query = checked_query(CursorQuery, request)
        page = read_page(run, stream, limit=query["limit"], cursor=query.get("cursor", ""))
        if not page["returned"] and not count_rows(run, stream):
            raise NotFound(f"Metric '{metric}' not found")
        return Response(page)

    def get_exception_handler(self) -> Any:
        return answer_error


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    response = exception_handler(error, context)
    if response is not None:
        codes = {400: "invalid_request", 404: "metric_not_found"}
        known = codes.get(response.status_code, "error")
        code = "invalid_cursor" if isinstance(error, InvalidCursor) else known
        response.data = {"code": code, "message": response.data.get("detail", ""), **response.data}
    return response


def _stream(metric: str) -> str:
    return mend_stream(stream_called(metric))
