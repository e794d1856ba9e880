"""Reads back what a stream holds: a page of its rows, and figures about it."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from runyard.dash.counters import count_rows
from runyard.dash.names import stream_name
from runyard.dash.reading import walk_series
from runyard.files.documents import read_document

CHUNK_SIZE = 10_000  # the original says so, though nothing is in chunks here
TAIL_BYTES = 64 * 1024


class Pages:
    """Goes on where the last page of a stream ended: reading all pages is one pass."""

    def __init__(self) -> None:
        self._ends: dict[Path, tuple[int, int]] = {}

    def read(self, data: Path, start_index: int, limit: int) -> dict[str, Any]:
        """A missing stream is an empty page."""
        start = max(0, start_index)
        rows: list[dict[str, Any]] = []
        has_more = False
        with contextlib.suppress(FileNotFoundError), data.open("rb") as file:
            read = self._skip(file, data, start)
            while read < start + limit and (line := next_line(file)):
                rows += parse_row(line)
                read += 1
            self._ends[data] = (read, file.tell())
            has_more = read >= start and bool(next_line(file))
        return describe_page(rows, start, has_more=has_more)

    def _skip(self, file: BinaryIO, data: Path, start: int) -> int:
        """How many lines lie behind."""
        line, offset = self._ends.get(data, (0, 0))
        if line > start or offset > os.fstat(file.fileno()).st_size:
            line, offset = 0, 0
        file.seek(offset)
        while line < start and next_line(file):
            line += 1
        return line


def describe_page(rows: list[dict[str, Any]], start: int, *, has_more: bool) -> dict[str, Any]:
    """As the original tells of a page: `total` counts its rows, and `endIndex` is in it."""
    return {
        "data": rows,
        "startIndex": start,
        "endIndex": start + len(rows) - 1,
        "total": len(rows),
        "hasMore": has_more,
    }


def read_stats(folder: Path) -> dict[str, Any]:
    """The original's keys, and the documented ones. Raises: FileNotFoundError if there is no stream."""
    words = read_words(folder)
    first, last = read_ends(folder / "data.jsonl")
    total = str(words["totalDataPoints"])
    return {
        "metricId": words.get("metricId"),
        "name": words.get("name"),
        "description": words.get("description"),
        "tags": words.get("tags") or [],
        "metadata": words.get("metadata"),
        "totalDataPoints": total,
        "bufferedDataPoints": total,
        "chunkedDataPoints": "0",
        "totalChunks": 0,
        "chunkSize": CHUNK_SIZE,
        "firstDataAt": first.get("createdAt") or words.get("createdAt"),
        "lastDataAt": last.get("createdAt") or words.get("updatedAt"),
        "createdAt": words.get("createdAt"),
        "updatedAt": words.get("updatedAt") or words.get("createdAt"),
        "count": words["totalDataPoints"],
        "firstValue": first.get("data"),
        "lastValue": last.get("data"),
    }


def list_streams(metrics: Path) -> Iterator[dict[str, Any]]:
    """However deep they are nested."""
    for path, folder in walk_series(metrics, []):
        words = {"metricId": f"local-metric-{stream_name(path)}", "name": stream_name(path)}
        words |= read_words(folder)
        yield {
            "metricId": words["metricId"],
            "name": words["name"],
            "description": words.get("description"),
            "tags": words.get("tags") or [],
            "totalDataPoints": str(words["totalDataPoints"]),
            "createdAt": words.get("createdAt"),
        }


def read_words(folder: Path) -> dict[str, Any]:
    """What is said of a stream, with the count its rows tell. Raises: FileNotFoundError."""
    data = folder / "data.jsonl"
    if not data.is_file():
        raise FileNotFoundError(f"There are no metrics in {folder}.")
    try:
        words = read_document(folder / "metadata.json") or {}
    except ValueError:
        words = {}
    _, last = read_ends(data)
    index = last.get("index")
    words["totalDataPoints"] = count_rows(words, index + 1 if isinstance(index, int) else 0)
    return words


def read_ends(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first row and the last one; empty ones if there are none."""
    with data.open("rb") as file:
        first = next((row for line in file for row in parse_row(line)), {})
        size = file.seek(0, os.SEEK_END)
        reach = TAIL_BYTES
        while True:
            file.seek(max(0, size - reach))
            lines = file.read().split(b"\n")
            if reach < size:
                lines = lines[1:]  # begins in the middle
            last = next((row for line in reversed(lines) for row in parse_row(line)), None)
            if last is not None or reach >= size:
                return first, last or first
            reach *= 4


def next_line(file: BinaryIO) -> bytes:
    """Nothing where the last one is still being written; the file stands before it then."""
    line = file.readline()
    if line.endswith(b"\n"):
        return line
    file.seek(-len(line), os.SEEK_CUR)
    return b""


def parse_row(line: bytes) -> list[dict[str, Any]]:
    """The row, or nothing if a writer was cut short there."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return [row] if isinstance(row, dict) else []
