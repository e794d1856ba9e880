"""Tracks: streams of entries, each with a time of its own. Their rows lie under `tracks/`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.ml_dash import examples, streams
from tracking.api.ml_dash.ids import find_experiment
from tracking.api.ml_dash.renderers import write_json
from tracking.api.ml_dash.serializers import (
    EntriesQuery,
    EntriesSerializer,
    EntrySerializer,
    TrackSerializer,
    TracksQuery,
    is_time,
)
from tracking.api.ml_dash.viewsets import REFUSALS, DashViewSet, checked_query
from tracking.domain import writer
from tracking.domain.mending import mend_stream
from tracking.domain.rows import TIME_FIELD, StoredRow, count_rows, iterate_rows, read_edges
from tracking.domain.streams import describe_run_stream, take_rows
from tracking.domain.values import flatten_map
from tracking.errors import LimitExceeded, NotFound
from tracking.models import Run

MAX_ENTRIES = 200_000  # in one answer; more are asked for by times


@extend_schema(tags=["ML-Dash"])
class TrackViewSet(DashViewSet):
    """Topics may have slashes in them."""

    bodies = {
        "create_track": TrackSerializer,
        "append": EntrySerializer,
        "append_batch": EntriesSerializer,
    }

    @extend_schema(
        operation_id="dash_create_track",
        summary="Describe a track",
        description="It need not be done: the first entry makes it.",
        responses={200: examples.TRACK, **REFUSALS},
    )
    def create_track(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment, write=True)
        body = self.checked_body(request)
        stream = _stream(body.validated_data["topic"])
        writer.write(partial(describe_run_stream, run.pk, stream, words=body.words()))
        run.refresh_from_db(fields=["metadata"])
        return Response(_describe(run, stream, count_rows(run, stream)))

    @extend_schema(
        operation_id="dash_list_tracks",
        summary="List the tracks of an experiment",
        parameters=[TracksQuery],
        responses={200: examples.TRACKS, **REFUSALS},
    )
    def list_tracks(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment)
        query = checked_query(TracksQuery, request)
        start, end = query["offset"], query["offset"] + query["limit"]
        found = list(streams.tracks_of(run, query.get("topic", ""))[start : end + 1])
        shown = found[: query["limit"]]
        edges = read_edges(run, [one["stream"] for one in shown])
        page = [
            _describe(run, one["stream"], one["total"]) | _range(edges[one["stream"]])
            for one in shown
            if one["stream"] in edges
        ]
        return Response({"tracks": page, "hasMore": len(found) > query["limit"]})

    @extend_schema(
        operation_id="dash_append_to_track",
        summary="Append an entry to a track",
        responses={200: examples.APPENDED_ENTRIES, **REFUSALS},
    )
    def append(self, request: Request, experiment: str, topic: str) -> Response:
        return self._take(request, experiment, topic)

    @extend_schema(
        operation_id="dash_append_batch_to_track",
        summary="Append entries to a track",
        responses={200: examples.APPENDED_ENTRIES, **REFUSALS},
    )
    def append_batch(self, request: Request, experiment: str, topic: str) -> Response:
        return self._take(request, experiment, topic)

    def _take(self, request: Request, experiment: str, topic: str) -> Response:
        run = find_experiment(request.user, experiment, write=True)
        body = self.checked_body(request)
        stream = streams.TRACKS + topic
        take = partial(take_rows, run.pk, stream, body.rows(), words=body.words())
        place = writer.write(take)
        return Response({"count": place.count, "topic": topic})

    @extend_schema(
        operation_id="dash_get_track_data",
        summary="Read the entries of a track by time",
        description="Entries of one time are one; nested objects are flat, with dots.",
        parameters=[EntriesQuery],
        responses={
            200: examples.ENTRIES,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            **REFUSALS,
        },
    )
    def get_data(self, request: Request, experiment: str, topic: str) -> HttpResponseBase:
        run, stream = find_experiment(request.user, experiment), _stream(topic)
        query = checked_query(EntriesQuery, request)
        if not count_rows(run, stream):
            raise NotFound(f"Track '{topic}' not found")
        entries = _merge(_entries(run, stream, query))
        if query["format"] == "jsonl":
            lines = b"".join(write_json(entry) + b"\n" for entry in entries)
            return HttpResponse(lines, content_type="application/x-ndjson")
        return Response({"entries": entries, "count": len(entries)})


def _stream(topic: str) -> str:
    return mend_stream(streams.TRACKS + topic)


def _describe(run: Run, stream: str, total: int) -> dict[str, Any]:
    topic = stream.removeprefix(streams.TRACKS)
    identity = {"id": streams.stream_id(run, stream), "topic": topic, "name": topic}
    return identity | streams.words_of(run, stream) | {"totalEntries": str(total)}


def _range(edges: tuple[StoredRow, StoredRow]) -> dict[str, Any]:
    """What the first entry and the last one tell of those between."""
    columns = dict.fromkeys(key for row in edges for key in flatten_map(row.fields))
    columns.pop(TIME_FIELD, None)
    first, last = (_time_of(row) for row in edges)
    return {"columns": [*columns], "firstTimestamp": first, "lastTimestamp": last}


def _entries(run: Run, stream: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those of the times asked for. Raises: LimitExceeded."""
    after, before = query.get("start_timestamp"), query.get("end_timestamp")
    columns = set(filter(None, query.get("columns", "").split(",")))
    found = 0
    for row in iterate_rows(run, stream):
        time_s = _time_of(row)
        if (after is not None and time_s < after) or (before is not None and time_s > before):
            continue
        if (found := found + 1) > MAX_ENTRIES:
            raise LimitExceeded(
                f"These are more than {MAX_ENTRIES} entries: ask for fewer by time."
            )
        flat = flatten_map(row.fields)
        shown = {key: flat[key] for key in flat if key in columns or not columns}
        shown.pop(TIME_FIELD, None)
        yield {"timestamp": time_s} | shown | {"timestamp": time_s}


def _time_of(row: StoredRow) -> float:
    """Seconds, of an entry that told no time when it was logged."""
    told = row.fields.get(TIME_FIELD)
    return told if is_time(told) else row.time_us / 1e6


def _merge(entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """By time, those of one time as one."""
    merged: dict[float, dict[str, Any]] = {}
    for entry in entries:
        merged.setdefault(entry["timestamp"], {}).update(entry)
    return sorted(merged.values(), key=lambda entry: entry["timestamp"])
