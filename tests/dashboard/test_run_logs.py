"""The log lines of a run: filtered, a page at a time, and as they come."""

import re
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.test import AsyncClient, Client

from dashboard.run_logs import plain_text
from tests.factories import log_lines, make_run
from tracking.domain.runs import finish_run
from tracking.enums import RunStatus

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/run-1"


def texts(page: HttpResponse) -> list[str]:
    return re.findall(r'<span class="log-text">(.*?)</span>', page.content.decode(), re.DOTALL)


def test_run_page_has_logs_only_where_there_are_lines(client: Client) -> None:
    run = make_run()
    without = client.get(PATH).content.decode()
    log_lines(run, "one")

    page = client.get(PATH).content.decode()

    assert 'id="run-logs"' not in without
    assert f'href="{PATH}/logs"' in page
    assert 'id="run-logs"' in page


def test_newest_lines_are_shown_oldest_first_with_a_way_back(client: Client) -> None:
    log_lines(make_run(), *[f"line {n}" for n in range(450)])

    newest = client.get(f"{PATH}/logs")
    older = client.get(f"{PATH}/logs", {"before": 250})
    oldest = client.get(f"{PATH}/logs", {"before": 50})

    assert texts(newest) == [f"line {n}" for n in range(250, 450)]
    assert "?before=250" in newest.content.decode()
    assert texts(older) == [f"line {n}" for n in range(50, 250)]
    assert "To the newest lines" in older.content.decode()
    assert texts(oldest) == [f"line {n}" for n in range(50)]
    assert "Older lines" not in oldest.content.decode()


def test_lines_are_filtered_by_level_and_by_words(client: Client) -> None:
    run = make_run()
    log_lines(run, "step 1", "step 2")
    log_lines(run, "hot", level="WARN")
    log_lines(run, "step broke", level="error")
    log_lines(run, "odd", level="mine")

    assert texts(client.get(f"{PATH}/logs", {"level": "warning"})) == ["hot", "step broke"]
    assert texts(client.get(f"{PATH}/logs", {"level": "error"})) == ["step broke"]
    assert len(texts(client.get(f"{PATH}/logs", {"level": "no such"}))) == 5
    assert texts(client.get(f"{PATH}/logs", {"q": "STEP", "level": "error"})) == ["step broke"]
    assert "No line matches yet." in client.get(f"{PATH}/logs", {"q": "zzz"}).content.decode()


def test_tail_brings_what_is_new_and_ends_with_the_run(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    run = make_run()
    log_lines(run, "one", "two")
    page = client.get(f"{PATH}/logs").content.decode()
    assert f'hx-get="{PATH}/logs?after=1" hx-trigger="every 3s"' in page

    nothing = fragment(f"{PATH}/logs", "log-tail", after="1")
    log_lines(run, "three")
    news = fragment(f"{PATH}/logs", "log-tail", after="1")
    finish_run(run, status=RunStatus.COMPLETED)
    last = fragment(f"{PATH}/logs", "log-tail", after="1")
    end = fragment(f"{PATH}/logs", "log-tail", after="2")

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert texts(news) == ["three"]
    assert "logs?after=2" in news.content.decode()
    assert texts(last) == ["three"]
    assert "log-tail" not in last.content.decode()
    assert end.status_code == 286


def test_tail_of_a_filter_brings_matches_only(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    run = make_run()
    log_lines(run, "a & b")
    log_lines(run, "c")

    page = client.get(f"{PATH}/logs", {"q": "a & b", "level": "info"}).content.decode()
    empty = client.get(f"{PATH}/logs", {"q": "z"}).content.decode()
    log_lines(run, "a & b again", "d")

    assert f"{PATH}/logs?after=0&amp;level=info&amp;q=a%20%26%20b" in page
    assert f"{PATH}/logs?after=-1&amp;q=z" in empty
    news = fragment(f"{PATH}/logs", "log-tail", after="0", q="a & b")
    assert texts(news) == ["a &amp; b again"]


@pytest.mark.parametrize("value", ["x", "", "9" * 40, "--1", "\0", "1e3"])
def test_odd_places_show_the_newest_lines(client: Client, value: str) -> None:
    log_lines(make_run(), "one")

    for name in ("after", "before"):
        assert texts(client.get(f"{PATH}/logs", {name: value})) == ["one"]


def test_long_lines_are_cut(client: Client) -> None:
    log_lines(make_run(), "x" * 50_000)

    page = client.get(f"{PATH}/logs")

    assert texts(page)[0].startswith("x" * 2_000 + '<span class="muted"> … the rest')
    assert len(page.content) < 15_000


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("\x1b[1;31merror\x1b[0m: no", "error: no"),
        ("\x1b]8;;http://a\x07link\x1b]8;;\x07", "link"),
        (" 1%\r50%\r99%", "99%"),
        ("done\r\n", "done"),
        ("a\r\nb", "a\nb"),
        ("a\tb\x07\x1b", "a\tb"),
        ("<b>", "<b>"),
    ],
)
def test_line_reads_as_a_terminal_would_show_it(message: str, text: str) -> None:
    assert plain_text(message) == text


def test_logs_take_as_many_queries_for_three_lines_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    run = make_run()
    log_lines(run, "one")
    queries = count_queries(f"{PATH}/logs")
    log_lines(run, "two", "three")

    assert count_queries(f"{PATH}/logs") == queries


@pytest.mark.django_db(transaction=True)
async def test_log_is_saved_as_text(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    await sync_to_async(log_lines)(run, "\x1b[1mone\x1b[0m", "two\nlines")
    await sync_to_async(log_lines)(run, "three", level="error")

    whole = await async_client.get(f"{PATH}/logs", {"format": "text"})
    errors = await async_client.get(f"{PATH}/logs", {"format": "text", "level": "error"})

    assert b"".join([chunk async for chunk in whole]).decode() == (
        "2026-01-01T12:00:00.000+00:00 info one\n"
        "2026-01-01T12:00:01.000+00:00 info two\nlines\n"
        "2026-01-01T12:00:02.000+00:00 error three\n"
    )
    assert whole.headers["Content-Disposition"] == 'attachment; filename="proj-run-1.log"'
    assert b"".join([chunk async for chunk in errors]).count(b"\n") == 1


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", "debug info Warn warning error ERROR fatal critical"),
        ("info", "info Warn warning error ERROR fatal critical"),
        ("warn", "Warn warning error ERROR fatal critical"),
        ("warning", "Warn warning error ERROR fatal critical"),
        ("error", "error ERROR fatal critical"),
        ("fatal", "fatal critical"),
        ("critical", "fatal critical"),
    ],
)
def test_levels_are_found_however_they_are_spelled(
    client: Client, level: str, expected: str
) -> None:
    run = make_run()
    for word in ("mine", "debug", "info", "Warn", "warning", "error", "ERROR", "fatal", "critical"):
        log_lines(run, word, level=word)

    page = client.get(f"{PATH}/logs", {"level": level})

    assert texts(page) == expected.split()
    selected = re.findall(r'<option value="(\w+)" selected>', page.content.decode())
    assert selected == [{"warn": "warning", "critical": "fatal"}.get(level, level)]


def test_metadata_of_a_line_can_be_opened(client: Client) -> None:
    run = make_run()
    log_lines(run, "with", "without", "long")
    run.log_lines.filter(seq=0).update(metadata={"lr": 3, "<b>": {"deep": [1]}})
    run.log_lines.filter(seq=2).update(metadata={"text": "x" * 5000})

    page = client.get(f"{PATH}/logs").content.decode()

    details = re.findall(r'<details class="log-metadata">(.*?)</details>', page, re.DOTALL)
    assert len(details) == 2
    assert details[0].startswith(
        "<summary>lr=3 &lt;b&gt;={&quot;deep&quot;: [1]}</summary>"
        "<pre>{\n  &quot;lr&quot;: 3,\n  &quot;&lt;b&gt;&quot;: {"
    )
    assert details[1].endswith("x … the text file has all of it</pre>")
    assert len(details[1]) < 2300
