"""The rows of a run's streams: a page of them as a table, all of them as a file."""

import json
import math
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard.cells import is_figure
from dashboard.templatetags.dashboard_format import figure, flatten
from tracking.domain.row_series import time_us_of
from tracking.domain.rows import (
    TIME_FIELD,
    StoredRow,
    Stream,
    iterate_rows,
    list_streams,
    read_rows,
)
from tracking.domain.tables import csv_text
from tracking.domain.values import number_word
from tracking.errors import NotFound
from tracking.models import Run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 50
NEWEST = 10  # on the page of the run
COLUMNS, ALL_COLUMNS = 24, 200  # at first, and where all are asked for: a page stays small
FILE_COLUMNS = 1_000  # what other fields the rows of a file have stands in one more
STREAMS = 50  # named on one page
SHOWN, HOVER = 60, 300  # characters of a value; the files have it whole
AT_ONCE = 500  # rows between two pieces of a file
WORDS, WORD_COUNT = 1_000, 20  # characters of a description; tags, and facts
UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # as rows have it, which may be no text that a page can show
    metric: str  # that draws it, if one does
    is_number: bool

    @property
    def label(self) -> str:
        return readable(self.name)[:SHOWN]


@dataclass(frozen=True, slots=True)
class ShownRow:
    index: int
    time: str
    cells: SafeString


class Words(NamedTuple):
    """What people say of a stream."""

    description: str
    tags: list[str]
    facts: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class RowPage:
    streams: Page[Stream]
    stream: Stream | None  # None: the run has none
    words: Words
    page: Page[StoredRow] | None  # None: only the newest rows are shown
    columns: list[Column]
    rows: list[ShownRow]
    hidden_count: int  # columns that are left out


class StreamRows(Sequence[StoredRow]):
    """As the paginator wants them: only what is asked for is read."""

    def __init__(self, run: Run, stream: Stream) -> None:
        self.run, self.stream = run, stream

    def __len__(self) -> int:
        return self.stream.row_count

    def __getitem__(self, part: Any) -> Any:
        return read_rows(self.run, self.stream.name, start=part.start, limit=part.stop - part.start)


def cut_rows(run: Run, params: QueryDict) -> RowPage:
    """A page of the stream that the URL names, else of one of them. Three queries. Raises: NotFound."""
    streams = list_streams(run)
    stream = find_stream(streams, params)
    named = Paginator(streams, STREAMS).get_page(params.get("streams"))
    if stream is None:
        return RowPage(named, None, Words("", [], []), None, [], [], 0)
    page, rows = page_of(StreamRows(run, stream), params)
    names = list(dict.fromkeys(name for row in rows for name in row.fields if name != TIME_FIELD))
    limit = ALL_COLUMNS if params.get("columns") == "all" else COLUMNS
    columns = columns_of(run, stream.name, rows, names[:limit])
    return RowPage(
        streams=named,
        stream=stream,
        words=words_of(run, stream.name),
        page=page,
        columns=columns,
        rows=[ShownRow(row.index, _clock(row), _cells(row, columns)) for row in rows],
        hidden_count=len(names) - len(columns),
    )


def page_of(
    stored: StreamRows, params: QueryDict
) -> tuple[Page[StoredRow] | None, list[StoredRow]]:
    if params.get("rows") == "newest":
        return None, list(stored[max(0, len(stored) - NEWEST) : len(stored)])
    page = Paginator(stored, ROWS).get_page(params.get("page"))
    return page, list(page.object_list)


def find_stream(streams: Sequence[Stream], params: QueryDict) -> Stream | None:
    """Where the URL names none, the first that has a name; "" is the one without. Raises: NotFound."""
    if "stream" not in params:
        named = [stream for stream in streams if stream.name]
        return next(iter(named or streams), None)
    name = params["stream"]
    found = next((stream for stream in streams if stream.name == name), None)
    if found is None:
        raise NotFound(f"Stream '{name[:80]}' not found")
    return found


def words_of(run: Run, stream: str) -> Words:
    """Whatever kinds of values a client has put there."""
    said = run.metadata.get("streams", {}).get(stream, {})
    tags, metadata = said.get("tags") or [], said.get("metadata") or {}
    return Words(
        description=compact(said.get("description") or "")[:WORDS],
        tags=[compact(tag)[:SHOWN] for tag in (tags if isinstance(tags, list) else [tags])][
            :WORD_COUNT
        ],
        facts=flatten(metadata if isinstance(metadata, dict) else {"metadata": metadata})[
            :WORD_COUNT
        ],
    )


def columns_of(
    run: Run, stream: str, rows: Sequence[StoredRow], names: Sequence[str]
) -> list[Column]:
    metrics = {name: f"{stream}/{name}" if stream else name for name in names}
    askable = [metric for metric in metrics.values() if metric.isprintable()]
    drawn = set(run.metrics.filter(name__in=askable).values_list("name", flat=True))
    return [
        Column(
            name,
            metric if metric in drawn else "",
            all(is_figure(row.fields[name]) for row in rows if row.fields.get(name) is not None),
        )
        for name, metric in metrics.items()
    ]


def moment_of(row: StoredRow) -> datetime:
    return EPOCH + timedelta(microseconds=time_us_of(row))


def _clock(row: StoredRow) -> str:
    return moment_of(row).isoformat(" ", "milliseconds").removesuffix("+00:00")


def _cells(row: StoredRow, columns: Sequence[Column]) -> SafeString:
    cells = (_cell(row.fields, column) for column in columns)
    return mark_safe("".join(cells))  # noqa: S308 -- each of them is escaped


def _cell(fields: dict[str, Any], column: Column) -> SafeString:
    css = "number" if column.is_number else "mono"
    if column.name not in fields:
        return format_html('<td class="{}"></td>', css)
    value = fields[column.name]
    full = compact(value)
    shown = figure(value) if is_figure(value) else full[:SHOWN]
    if shown == full:
        return format_html('<td class="{}">{}</td>', css, shown)
    cut = "…" if len(full) > SHOWN and not is_figure(value) else ""
    return format_html('<td class="{}" title="{}">{}{}</td>', css, full[:HOVER], shown, cut)


def compact(value: Any) -> str:
    """A value on one line; texts as they are."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return readable(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def readable(text: str) -> str:
    """Rows are kept as they came, also with half a surrogate pair, which no page can hold."""
    return text.encode("utf-8", "replace").decode()


# ── As a file ────────────────────────────────────────────────────────────────


def file_name(run: Run, stream: Stream, ending: str) -> str:
    name = UNSAFE.sub("-", stream.name).strip("-") or "rows"
    return f"{run.project.key}-{run.key}-{name}.{ending}"


def csv_pieces(run: Run, stream: Stream) -> Iterator[str]:
    """All rows: their fields in the order in which they came up. It reads the stream twice."""
    names: dict[str, None] = {}
    for row in iterate_rows(run, stream.name):
        names.update(dict.fromkeys(row.fields))
        if len(names) > FILE_COLUMNS:
            break
    heads = list(islice(names, FILE_COLUMNS))
    is_cut = len(names) > FILE_COLUMNS
    yield csv_text([["index", "time", *map(readable, heads), *(["…"] if is_cut else [])]])
    rows = iterate_rows(run, stream.name)
    while some := list(islice(rows, AT_ONCE)):
        yield csv_text([_csv_row(row, heads, is_cut) for row in some])


def _csv_row(row: StoredRow, heads: Sequence[str], is_cut: bool) -> list[Any]:
    line: list[Any] = [row.index, _iso(row), *(_csv_value(row.fields.get(name)) for name in heads)]
    if is_cut:
        rest = {name: value for name, value in row.fields.items() if name not in heads}
        line.append(compact(rest) if rest else None)
    return line


def _csv_value(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else compact(value)


def jsonl_pieces(run: Run, stream: Stream) -> Iterator[str]:
    """All rows, a JSON object on each line; numbers that JSON lacks are words."""
    rows = iterate_rows(run, stream.name)
    while some := list(islice(rows, AT_ONCE)):
        yield "".join(json.dumps(_json_row(row), default=str) + "\n" for row in some)


def _json_row(row: StoredRow) -> dict[str, Any]:
    return {"index": row.index, "time": _iso(row), "fields": _strict(row.fields)}


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return number_word(value) if is_odd else value


def _iso(row: StoredRow) -> str:
    return moment_of(row).isoformat(timespec="milliseconds")


async def in_turn(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Read in the request's own thread, whose connection it is."""
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        yield piece
