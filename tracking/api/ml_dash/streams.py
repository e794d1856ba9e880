"""The shapes in which streams of rows are told."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Left

from tracking.api.fields import EPOCH
from tracking.api.ml_dash.viewsets import name_of
from tracking.dialects import zulu_iso
from tracking.domain.rows import Appended, StoredRow, count_rows, read_edges, read_rows
from tracking.errors import NotFound
from tracking.models import RowBlock, Run

TRACKS = "tracks/"  # in front of a topic: its stream
CHUNK_SIZE = 10_000  # rows; older clients read all whole chunks, and then the rest


def stream_id(run: Run, stream: str) -> str:
    """Always the same, and a number, as the original's are."""
    digest = hashlib.sha256(f"{run.uid}/{stream}".encode()).digest()
    return f"4{int.from_bytes(digest[:8]) % 10**18:018d}"


def metrics_of(run: Run) -> QuerySet[RowBlock, Any]:
    """Name and `total` of each stream that is no track, by name."""
    return _streams(run).alias(start=Left("stream", len(TRACKS))).exclude(start=TRACKS)


def tracks_of(run: Run, topic: str) -> QuerySet[RowBlock, Any]:
    """As above, those of a topic; `a/*` are all below it."""
    if topic and not topic.endswith("*"):
        return _streams(run).filter(stream=TRACKS + topic)
    prefix = TRACKS + topic.removesuffix("*")
    # Compared letter by letter: SQLite's LIKE takes `Tracks/` for `tracks/`.
    return _streams(run).alias(start=Left("stream", len(prefix))).filter(start=prefix)


def _streams(run: Run) -> QuerySet[RowBlock, Any]:
    return run.row_blocks.order_by("stream").values("stream").annotate(total=Sum("count"))


def words_of(run: Run, stream: str) -> dict[str, Any]:
    said = run.metadata.get("streams", {}).get(stream, {})
    return {
        "description": said.get("description"),
        "tags": said.get("tags") or [],
        "metadata": said.get("metadata"),
    }


def list_page(run: Run, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a list tells of these streams. One query."""
    rows = list(found)
    edges = read_edges(run, [row["stream"] for row in rows])
    return [
        {
            "metricId": stream_id(run, row["stream"]),
            "name": name_of(row["stream"]),
            **words_of(run, row["stream"]),
            "totalDataPoints": str(row["total"]),
            "createdAt": iso_of(edges[row["stream"]][0].time_us),
        }
        for row in rows
        if row["stream"] in edges
    ]


def describe(run: Run, stream: str) -> dict[str, Any]:
    """All that is known of one stream. Raises: NotFound."""
    edges = read_edges(run, [stream]).get(stream)
    if not edges:
        raise NotFound(f"Metric '{name_of(stream)}' not found")
    first, last = edges
    total = last.index + 1
    chunked = total // CHUNK_SIZE * CHUNK_SIZE
    return {
        "metricId": stream_id(run, stream),
        "name": name_of(stream),
        **words_of(run, stream),
        "totalDataPoints": str(total),
        "bufferedDataPoints": str(total - chunked),
        "chunkedDataPoints": str(chunked),
        "totalChunks": total // CHUNK_SIZE,
        "chunkSize": CHUNK_SIZE,
        "firstDataAt": iso_of(first.time_us),
        "lastDataAt": iso_of(last.time_us),
        "createdAt": iso_of(first.time_us),
        "updatedAt": iso_of(last.time_us),
        "count": total,
        "firstValue": first.fields,
        "lastValue": last.fields,
    }


def read_span(run: Run, stream: str, start: int, limit: int) -> dict[str, Any]:
    """Rows from number `start` on; `total` counts those of this answer, as the original does."""
    rows = read_rows(run, stream, start=start, limit=limit)
    end = start + len(rows)
    return {
        "data": write_rows(rows),
        "startIndex": start,
        "endIndex": end - 1,
        "total": len(rows),
        "hasMore": end < count_rows(run, stream),
    }


def read_rest(run: Run, stream: str, start: int, _limit: int) -> dict[str, Any]:
    """All rows behind the last whole chunk: clients ask for them once."""
    chunked = count_rows(run, stream) // CHUNK_SIZE * CHUNK_SIZE
    return read_span(run, stream, max(start, chunked), CHUNK_SIZE)


def read_chunk(run: Run, stream: str, number: int) -> dict[str, Any]:
    """Raises: NotFound."""
    start = number * CHUNK_SIZE
    rows = read_rows(run, stream, start=start, limit=CHUNK_SIZE)
    if len(rows) < CHUNK_SIZE:
        raise NotFound(f"Chunk {number} not found: it is not full yet.")
    return {
        "chunkNumber": number,
        "startIndex": str(start),
        "endIndex": str(start + CHUNK_SIZE - 1),
        "dataCount": CHUNK_SIZE,
        "data": write_rows(rows),
    }


def write_appended(run: Run, stream: str, place: Appended) -> dict[str, Any]:
    return {
        "metricId": stream_id(run, stream),
        "bufferedDataPoints": str((place.first_index + place.count) % CHUNK_SIZE),
        "chunkSize": CHUNK_SIZE,
    }


def write_rows(rows: Iterable[StoredRow]) -> list[dict[str, Any]]:
    return [
        {"index": str(row.index), "data": row.fields, "createdAt": iso_of(row.time_us)}
        for row in rows
    ]


def iso_of(time_us: int) -> str:
    return zulu_iso(EPOCH + timedelta(microseconds=time_us))
