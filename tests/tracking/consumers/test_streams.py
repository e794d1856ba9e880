"""Streams, driven as the server drives them: through config.asgi."""

import asyncio
from typing import Any

import orjson
import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from config.asgi import application
from tests.factories import NOON_US, log_points, make_run, take_in
from tests.tracking.consumers.watching import open_stream, stream_scope
from tracking.consumers import heart, newsroom, streams
from tracking.domain import runs as run_verbs
from tracking.domain.batch import TIMES_US, Batch, Points
from tracking.domain.deletion import delete_runs
from tracking.domain.series import read_news
from tracking.enums import RunStatus
from tracking.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
in_thread = database_sync_to_async


async def status_of(path: str) -> tuple[int, dict[str, Any]]:
    async with open_stream(path) as (start, watcher):
        body = await watcher.app.receive_output(timeout=20)
    return start["status"], orjson.loads(body["body"])


@pytest.fixture
def run() -> Run:
    run = make_run("run-1")
    log_points(run, {"loss": [1.0]})
    return run


async def test_stream_begins_with_the_status_and_then_brings_news_only(run):
    async with open_stream("/api/projects/proj/runs/stream?runs=run-1") as (start, watcher):
        headers = {key.decode().lower(): value.decode() for key, value in start["headers"]}
        status = await watcher.next_event()
        await in_thread(log_points)(run, {"loss": [2.0]}, first_step=1)
        metric = await watcher.next_event()

    assert start["status"] == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert status[0] == "status"
    assert {key: status[1][key] for key in ("run", "project", "status", "is_finished", "exit_code")} == {
        "run": "run-1", "project": "proj", "status": "wip", "is_finished": False, "exit_code": None,
    }  # fmt: skip
    assert metric == (
        "metric",
        {
            "timestamp": "2026-01-01T12:00:01.000000Z",
            "step": 1,
            "metrics": {"loss": 2.0},
            "run": "run-1",
            "project": "proj",
        },
        f"run-1:3:{run.pk}",
    )


async def test_every_watcher_gets_every_point(run):
    path = "/api/projects/proj/runs/run-1/stream"
    async with open_stream(path) as (_, one), open_stream(path) as (_, other):
        assert (await one.next_event())[0] == (await other.next_event())[0] == "status"
        await in_thread(log_points)(run, {"loss": [2.0, 3.0]}, first_step=1)
        seen = [[(await w.next_event())[1]["step"] for _ in range(2)] for w in (one, other)]

    assert seen == [[1, 2], [1, 2]]


async def test_finish_is_a_status_event(run):
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        await in_thread(run_verbs.finish_run)(run, status=RunStatus.FAILED, exit_code=3)
        name, data, _ = await watcher.next_event()

    assert (name, data["status"], data["is_finished"], data["exit_code"]) == (
        "status", "failed", True, 3,
    )  # fmt: skip


async def test_last_event_id_resumes_without_a_hole(run):
    log = in_thread(log_points)
    for step in (1, 2):
        await log(run, {"loss": [step]}, first_step=step)

    headers = ((b"last-event-id", b"run-1:2"),)
    async with open_stream("/api/projects/proj/runs/stream?runs=run-1", headers) as (_, watcher):
        events = [await watcher.next_event() for _ in range(3)]

    assert [(name, data.get("step")) for name, data, _ in events] == [
        ("metric", 1), ("metric", 2), ("status", None),
    ]  # fmt: skip
    assert [event_id for _, _, event_id in events] == ["", "", f"run-1:4:{run.pk}"]


async def test_cursor_from_the_future_is_brought_back(run):
    headers = ((b"last-event-id", b"run-1:999,rubbish,other:1"),)
    async with open_stream("/api/projects/proj/runs/stream?runs=run-1", headers) as (_, watcher):
        await watcher.next_event()
        await in_thread(log_points)(run, {"loss": [2.0]}, first_step=1)
        name, data, _ = await watcher.next_event()

    assert (name, data["step"]) == ("metric", 1)


async def test_since_replays_from_that_time(run):
    await in_thread(log_points)(run, {"loss": [2.0]}, first_step=1)
    since_ms = NOON_US // 1000 + 1000

    async with open_stream(f"/api/projects/proj/runs/run-1/stream?since={since_ms}") as (
        _,
        watcher,
    ):
        events = [await watcher.next_event() for _ in range(2)]

    assert [(name, data.get("step")) for name, data, _ in events] == [
        ("metric", 1), ("status", None),
    ]  # fmt: skip


async def test_what_is_committed_after_a_replay_comes_whatever_its_time(run):
    """As from a job that was offline: `since` tells of the past, not of news."""
    since_ms = NOON_US // 1000 + 1000
    async with open_stream(f"/api/projects/proj/runs/run-1/stream?since={since_ms}") as (
        _,
        watcher,
    ):
        assert (await watcher.next_event())[0] == "status"
        await in_thread(log_points)(run, {"loss": [2.0]}, first_step=0)
        name, data, _ = await watcher.next_event()

    assert (name, data["step"]) == ("metric", 0)


async def test_watcher_reads_on_until_it_has_the_commit_it_was_told_of(run, monkeypatch):
    """A piece that another watcher had read may end before that commit."""
    monkeypatch.setattr("tracking.domain.series.NEWS_COMMITS", 1)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        with monkeypatch.context() as patch:
            patch.setattr("tracking.domain.events._send", lambda *_: None)
            for step in (1, 2):
                await in_thread(log_points)(run, {"loss": [step]}, first_step=step)
        await in_thread(log_points)(run, {"loss": [3.0]}, first_step=3)
        events = [await watcher.next_event() for _ in range(3)]

    assert [data["step"] for _, data, _ in events] == [1, 2, 3]
    assert [event_id for *_, event_id in events] == [f"run-1:{n}:{run.pk}" for n in (3, 4, 5)]


async def test_nan_and_infinity_are_words(run):
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        await in_thread(log_points)(run, {"a": [float("nan")], "b": [float("-inf")]})
        _, data, _ = await watcher.next_event()

    assert data["metrics"] == {"a": "NaN", "b": "-Infinity"}


async def test_lost_hint_is_made_up_for_by_the_heartbeat(run, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.05)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        monkeypatch.setattr("tracking.domain.events._send", lambda *_: None)
        await in_thread(log_points)(run, {"loss": [2.0]}, first_step=1)
        name, data, _ = await watcher.next_event()

    assert (name, data["step"]) == ("metric", 1)


async def test_watcher_that_leaves_leaves_nothing_behind(run):
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        assert get_channel_layer().groups

    assert get_channel_layer().groups == {}


async def test_stream_that_the_server_cancels_leaves_nothing_behind(run):
    others = asyncio.all_tasks()
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        watcher.app.future.cancel()
        await asyncio.wait([watcher.app.future])

    assert get_channel_layer().groups == {}
    assert asyncio.all_tasks() == others


async def test_heartbeat_reads_only_runs_that_have_news(run, monkeypatch):
    reads: list[int] = []

    def read(run_id: int, *args: Any, **options: Any) -> Any:
        reads.append(run_id)
        return read_news(run_id, *args, **options)

    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.02)
    monkeypatch.setattr(newsroom, "read_news", read)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        for _ in range(3):
            assert await watcher.next_frame() == ": beat"

    assert reads == []


async def test_heartbeat_tells_that_a_run_has_fallen_silent(run, monkeypatch, settings):
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.02)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        settings.STALE_AFTER_S = -1
        name, data, _ = await watcher.next_event()

    assert (name, data["status"]) == ("status", "maybe_failed")


async def test_heartbeat_renews_what_the_channel_layer_forgot(run, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.02)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        get_channel_layer().groups.clear()
        for _ in range(2):  # the first may have been on its way already
            assert await watcher.next_frame() == ": beat"

        assert list(get_channel_layer().groups) == [f"run.{run.pk}"]


async def test_last_moment_of_the_calendar_can_be_told(run):
    points = Points.of_row(9, {"a": 1.0}, TIMES_US.stop - 1)
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        await in_thread(take_in)(Batch(run_id=run.pk, points=points))
        _, data, _ = await watcher.next_event()

    assert data["timestamp"] == "9999-12-31T23:59:59.999999Z"


async def test_head_has_the_headers_and_an_end(run):
    path = "/api/projects/proj/runs/run-1/stream"
    async with open_stream(path, method="HEAD") as (start, watcher):
        body = await watcher.app.receive_output(timeout=20)

    assert (start["status"], start["headers"][:-1]) == (200, streams.HEADERS)
    assert (body["body"], body["more_body"]) == (b"", False)


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
async def test_other_methods_are_405(run, method):
    path = "/api/projects/proj/runs/run-1/stream"
    async with open_stream(path, method=method) as (start, watcher):
        body = await watcher.app.receive_output(timeout=20)

    assert (start["status"], orjson.loads(body["body"])) == (405, {"detail": "Only GET."})
    assert (b"Allow", b"GET, HEAD") in start["headers"]


async def test_deleted_run_is_told_and_ends_its_stream(run):
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        await in_thread(delete_runs)(Run.objects.all())
        name, data, _ = await watcher.next_event()
        end = await watcher.app.receive_output(timeout=20)

    assert (name, data["run"], data["project"]) == ("deleted", "run-1", "proj")
    assert (end["body"], end["more_body"]) == (b"", False)
    assert get_channel_layer().groups == {}


async def test_stream_of_many_runs_outlives_one_and_meets_its_successor(run, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.05)
    await in_thread(make_run)("run-2")
    path = "/api/projects/proj/runs/stream?runs=run-1,run-2"
    async with open_stream(path) as (_, watcher):
        first = [(await watcher.next_event())[1]["run"] for _ in range(2)]
        await in_thread(delete_runs)(Run.objects.filter(key="run-1"))
        gone = await watcher.next_event()
        again = await in_thread(make_run)("run-1")
        await in_thread(log_points)(again, {"loss": [5.0]})
        events = [await watcher.next_event() for _ in range(2)]

    assert first == ["run-1", "run-2"]
    assert (gone[0], gone[1]["run"]) == ("deleted", "run-1")
    assert sorted((name, data["run"]) for name, data, _ in events) == [
        ("metric", "run-1"),
        ("status", "run-1"),
    ]


async def test_run_made_again_under_a_watched_key_is_told_from_its_first_point(run):
    first_id = run.pk
    await in_thread(delete_runs)(Run.objects.all())
    again = await in_thread(make_run)("run-1")
    for step in range(3):
        await in_thread(log_points)(again, {"loss": [step]}, first_step=step)

    headers = ((b"last-event-id", f"run-1:3:{first_id}".encode()),)
    async with open_stream("/api/projects/proj/runs/run-1/stream", headers) as (_, watcher):
        events = [await watcher.next_event() for _ in range(4)]

    assert [data.get("step") for _, data, _ in events] == [0, 1, 2, None]
    assert events[-1][2] == f"run-1:4:{again.pk}"


async def test_unknown_runs_are_named_by_a_header(run):
    path = "/api/projects/proj/runs/stream?runs=run-1,no%2Cpe,%C3%A9t%C3%A9,a%0Aid:x"
    async with open_stream(path) as (start, watcher):
        _, data, event_id = await watcher.next_event()

    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"Runyard-Unknown-Runs"] == b"a%0Aid%3Ax,no,pe,%C3%A9t%C3%A9"
    assert data["run"] == "run-1"
    assert event_id == f"no:0:0,pe:0:0,run-1:2:{run.pk}"


async def test_stream_of_unknown_runs_brings_them_once_they_exist(run, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.05)
    async with open_stream("/api/projects/proj/runs/stream?runs=later") as (start, watcher):
        assert await watcher.next_frame() == "retry: 2000"
        later = await in_thread(make_run)("later")
        await in_thread(log_points)(later, {"loss": [5.0]})
        events = [await watcher.next_event() for _ in range(2)]

    assert (b"Runyard-Unknown-Runs", b"later") in start["headers"]
    assert {(name, data["run"]) for name, data, _ in events} == {
        ("metric", "later"), ("status", "later"),
    }  # fmt: skip


async def test_watcher_who_takes_nothing_is_cut(run, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE_S", 0.1)
    sent: list[dict[str, Any]] = []
    stuck = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if b"event" in message.get("body", b""):
            await stuck.wait()

    requests = asyncio.Queue[dict[str, Any]]()
    requests.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    scope = stream_scope("/api/projects/proj/runs/run-1/stream")
    await asyncio.wait_for(application(scope, requests.get, send), 20)

    assert [message["type"] for message in sent[-2:]] == [
        "http.response.body",
        "http.response.cut",
    ]
    assert get_channel_layer().groups == {}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/projects/nope/runs/stream?runs=a", 404, "Project 'nope' not found"),
        ("/api/projects/proj/runs/nope/stream", 404, "Run 'nope' not found in project 'proj'"),
        ("/api/projects/proj/runs/stream", 400, "No runs specified"),
        ("/api/projects/proj/runs/stream?runs=,", 400, "No runs specified"),
        ("/api/projects/proj/runs/run\0/stream", 400, "A name has a NUL character in it."),
        ("/api/projects/proj\0/runs/run-1/stream", 400, "A name has a NUL character in it."),
        ("/api/projects/proj/runs/stream?runs=" + ",".join(map(str, range(10_000))), 400, "Too many runs: 10000 (max: 1000)"),
        ("/api/projects/proj/runs/run-1/stream?since=x", 400, "since must be a UNIX time in milliseconds."),
        ("/api/projects/proj/runs/run-1/stream?since=" + "9" * 400, 400, "since must be a UNIX time in milliseconds."),
    ],
)  # fmt: skip
async def test_bad_request_is_refused_before_the_stream_opens(run, path, status, detail):
    assert await status_of(path) == (status, {"detail": detail})
