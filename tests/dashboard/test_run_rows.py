"""The rows of a run's streams: as a table, and as files."""

import json
import math
import re
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from dashboard.run_rows import csv_pieces, jsonl_pieces
from tests.factories import log_rows, make_run
from tracking.domain.rows import Stream, describe_stream
from tracking.models import Run

pytestmark = pytest.mark.django_db
RUN = "/projects/proj/runs/run-1"
PATH = f"{RUN}/rows"


def html(page: HttpResponse) -> str:
    return page.content.decode()


def cells(page: HttpResponse) -> list[list[str]]:
    """The texts of the table, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", html(page), re.DOTALL)
    texts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", text) for text in row] for row in texts]


def titles(page: HttpResponse) -> list[str]:
    return re.findall(r'<td[^>]* title="([^"]*)"', html(page))


def test_rows_are_a_table_with_all_columns_of_the_page(client: Client) -> None:
    run = make_run()
    log_rows(
        run,
        {"loss": 0.123456, "note": "<b>warm</b>"},
        {"loss": math.nan, "top": {"k1": 0.5, "k5": [1, 2]}, "ok": True},
        {"loss": math.inf, "lr": 2, "_ts": 1_767_268_800.25},
    )

    page = client.get(PATH)

    assert cells(page) == [
        ["#", "Time", "loss", "note", "top", "ok", "lr"],
        ["0", "2026-01-01 12:00:00.000", "0.1235", "&lt;b&gt;warm&lt;/b&gt;", "", "", ""],
        ["1", "2026-01-01 12:00:01.000", "NaN", "",
         "{&quot;k1&quot;:0.5,&quot;k5&quot;:[1,2]}", "true", ""],
        ["2", "2026-01-01 12:00:00.250", "∞", "", "", "", "2"],
    ]  # fmt: skip
    assert titles(page) == ["0.123456", "Infinity"]


def test_numeric_columns_lead_to_their_charts(client: Client) -> None:
    log_rows(make_run(), {"a&b": 1, "word": "x", "map": {"k": 1}}, stream="train/<i>")

    links = re.findall(r'<th[^>]*><a href="([^"]*)"[^>]*>([^<]*)<', html(client.get(PATH)))

    assert links == [(f"{RUN}?metric=train%2F%3Ci%3E%2Fa%26b#charts", "a&amp;b")]


def test_streams_are_listed_and_chosen_by_the_url(client: Client) -> None:
    run = make_run()
    log_rows(run, {"x": 1}, stream="")
    log_rows(run, {"y": 1}, {"y": 2}, stream="train")
    log_rows(run, {"z": "one"}, stream="<b>")

    page = client.get(PATH, {"stream": "train"})

    links = re.findall(
        r'class="stream" href="([^"]*)"[^>]*?( aria-current="true")?>([^<]*) <', html(page)
    )
    assert links == [
        (f"{PATH}?stream=", "", "(no name)"),
        (f"{PATH}?stream=%3Cb%3E", "", "&lt;b&gt;"),
        (f"{PATH}?stream=train", ' aria-current="true"', "train"),
    ]
    assert cells(client.get(PATH, {"stream": ""}))[0] == ["#", "Time", "x"]
    assert cells(client.get(PATH))[0] == ["#", "Time", "z"]
    assert client.get(PATH, {"stream": "unknown"}).status_code == 404


def test_rows_come_fifty_at_a_time(client: Client) -> None:
    log_rows(make_run(), *({"x": n} for n in range(120)))

    last = client.get(PATH, {"page": 3})

    assert [row[0] for row in cells(last)[1:]] == [str(n) for n in range(100, 120)]
    assert "101–120 of 120" in html(last)
    assert "First rows" in html(last)
    assert "Newest rows" not in html(last)
    assert f'href="{PATH}?page=3"' in html(client.get(PATH))
    assert len(cells(client.get(PATH, {"page": "x"}))) == 51


def test_page_of_the_run_shows_the_newest_and_leads_to_all(client: Client) -> None:
    run = make_run()
    log_rows(run, *({"x": number} for number in range(10)))
    assert f'hx-get="{PATH}?rows=newest"' in html(client.get(RUN))
    assert ">All 1" not in html(client.get(PATH, {"rows": "newest"}))

    log_rows(run, {"x": 10}, {"x": 11}, stream="train")
    log_rows(run, *({"x": number} for number in range(12)), stream="long")
    page = client.get(PATH, {"rows": "newest", "stream": "long"})

    assert [row[2] for row in cells(page)[1:]] == [str(number) for number in range(2, 12)]
    assert f'<a href="{PATH}?stream=long">All 12 rows</a>' in html(page)
    assert f'href="{PATH}?rows=newest&amp;stream=train"' in html(page)
    assert "table-limited" not in html(page)


def test_many_columns_are_shown_when_they_are_asked_for(client: Client) -> None:
    log_rows(make_run(), {f"field-{n:03}": n for n in range(60)})

    page, wide = client.get(PATH), client.get(PATH, {"columns": "all"})

    assert (len(cells(page)[0]), len(cells(wide)[0])) == (26, 62)
    assert f'href="{PATH}?columns=all"' in html(page)
    assert "36 more columns" in html(page)


def test_a_wide_page_stays_small(client: Client) -> None:
    log_rows(make_run(), *({f"field-{n:03}": 1 / 3 for n in range(60)} for _ in range(60)))

    assert len(client.get(PATH).content) < 150_000


def test_rows_that_no_page_can_hold_are_shown_as_far_as_possible(client: Client) -> None:
    run = make_run()
    log_rows(
        run,
        {"half \ud800": "\udfff", "bytes": b"\xff\0", "long": "x" * 1000, "_ts": 1e30},
        {"_ts": math.nan, "deep": {"\ud800": ["\udc00"]}, "nul\0": 1},
    )

    page = client.get(PATH)

    assert cells(page)[0] == ["#", "Time", "half ?", "bytes", "long", "deep", "nul\0"]
    assert cells(page)[1][2:5] == ["?", "2 bytes", "x" * 60 + "…"]
    assert titles(page) == ["x" * 300]
    table = "".join(csv_pieces(run, Stream("train", 2))).encode()
    lines = "".join(jsonl_pieces(run, Stream("train", 2))).encode().splitlines()
    assert len(table.split(b"\r\n")) == 4
    assert json.loads(lines[1])["fields"]["deep"] == {"\ud800": ["\udc00"]}


def test_words_of_a_stream_stand_above_it(client: Client) -> None:
    run = make_run()
    log_rows(run, {"x": 1})
    log_rows(run, {"x": 1}, stream="odd")
    describe_stream(
        run,
        "train",
        {"description": "<i>Each</i> step", "tags": ["a"], "metadata": {"u": {"v": 1}}},
    )
    describe_stream(run, "odd", {"description": ["x"], "tags": 5, "metadata": "text"})

    page, odd = client.get(PATH, {"stream": "train"}), client.get(PATH, {"stream": "odd"})

    assert "&lt;i&gt;Each&lt;/i&gt; step" in html(page)
    assert '<span class="tag">a</span> <span class="muted">u.v: 1</span>' in html(page)
    assert '[&quot;x&quot;] <span class="tag">5</span>' in html(odd)


def test_run_page_has_rows_only_where_there_are_some(client: Client) -> None:
    run = make_run()
    without = html(client.get(RUN))
    nothing = html(client.get(PATH))
    log_rows(run, {"x": 1})

    page = html(client.get(RUN))

    assert "run-rows" not in without
    assert "This run has no rows." in nothing
    assert f'hx-get="{PATH}?rows=newest"' in page
    assert f'href="{PATH}"' in page
    assert client.get(PATH, {"format": "pdf"}).status_code == 400


@pytest.mark.django_db(transaction=True)
async def test_files_have_all_rows_of_the_stream(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    rows = [{"x": n, "_ts": 1_767_268_800 + n} for n in range(1200)]
    await sync_to_async(log_rows)(run, *rows, {"=late": [1, math.nan], "x": math.nan}, stream="a/b")

    table = await async_client.get(PATH, {"format": "csv", "stream": "a/b"})
    lines = await async_client.get(PATH, {"format": "jsonl"})

    text = b"".join([piece async for piece in table.streaming_content]).decode()
    found = text.split("\r\n")
    assert found[:2] == ["index,time,x,_ts,'=late", "0,2026-01-01T12:00:00.000+00:00,0,1767268800,"]
    assert found[-2] == '1200,2026-01-01T12:20:00.000+00:00,NaN,,"[1,NaN]"'
    assert len(found) == 1203
    assert table.headers["Content-Disposition"] == 'attachment; filename="proj-run-1-a-b.csv"'
    objects = b"".join([piece async for piece in lines.streaming_content]).splitlines()
    assert len(objects) == 1201
    assert json.loads(objects[-1]) == {
        "index": 1200,
        "time": "2026-01-01T12:20:00.000+00:00",
        "fields": {"=late": [1, "NaN"], "x": "NaN"},
    }


@pytest.mark.django_db(transaction=True)
async def test_fields_beyond_a_thousand_share_a_column_of_the_csv(
    async_client: AsyncClient,
) -> None:
    run = await sync_to_async(make_run)()
    await sync_to_async(log_rows)(run, {f"f{n}": n for n in range(1002)}, {"f1": 1})

    table = await async_client.get(PATH, {"format": "csv"})

    text = b"".join([piece async for piece in table.streaming_content]).decode()
    heads, first, second, _ = text.split("\r\n")
    assert heads.endswith(",f999,…")
    assert first.endswith(',999,"{""f1000"":1000,""f1001"":1001}"')
    assert second.endswith(",,")


def test_queries_are_as_many_for_one_row_as_for_many(
    client: Client, django_assert_num_queries: Callable[[int], object]
) -> None:
    run = make_run()
    log_rows(run, {"x": 1})
    with CaptureQueriesContext(connection) as with_one:
        client.get(PATH)
    log_rows(run, *({"x": n, "y": n} for n in range(3)))
    log_rows(run, {"x": 1}, stream="other")
    log_rows(run, {"x": 1}, stream="third")

    with django_assert_num_queries(len(with_one)):
        client.get(PATH, {"stream": "train"})
    assert Run.objects.get().row_blocks.count() == 3
