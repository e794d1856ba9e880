"""Streams of a server that shares its database: what another process commits sends no hint here."""

import asyncio
import time

import orjson
import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from config.asgi import application
from tests.factories import log_points, make_run
from tests.tracking.consumers.watching import open_stream
from tracking.domain import events
from tracking.domain.deletion import delete_runs
from tracking.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
in_thread = database_sync_to_async
SOON_S = 4  # long before a beat; a look comes each second


@pytest.fixture(autouse=True)
def _silence(settings, monkeypatch):
    settings.HAS_COMPANY = True
    monkeypatch.setattr(events, "_send", lambda run_id, revision: None)


@pytest.fixture
def run() -> Run:
    return make_run("run-1")


@pytest.mark.parametrize("path", ["run-1/stream", "stream?runs=run-1,run-2"])
async def test_stream_finds_news_in_the_database(run, path):
    other = await in_thread(make_run)("run-2")
    async with open_stream(f"/api/projects/proj/runs/{path}") as (_, watcher):
        await watcher.next_event()
        began = time.monotonic()
        for one in (other, run):
            await in_thread(log_points)(one, {"loss": [2.0]})
        async with asyncio.timeout(SOON_S):
            while (found := await watcher.next_event())[1].get("step") is None:
                pass  # the status of the other run

    assert (found[0], found[1]["metrics"]) == ("metric", {"loss": 2.0})
    assert time.monotonic() - began < SOON_S


async def test_stream_of_a_deleted_run_ends(run):
    async with open_stream("/api/projects/proj/runs/run-1/stream") as (_, watcher):
        await watcher.next_event()
        await in_thread(delete_runs)(Run.objects.filter(pk=run.pk))
        async with asyncio.timeout(SOON_S):
            name, data, _ = await watcher.next_event()

    assert (name, data["run"]) == ("deleted", "run-1")


async def test_socket_finds_news_in_the_database(run):
    headers = [(b"host", b"localhost")]
    socket = WebsocketCommunicator(application, f"/ws/{run.pk}", headers=headers)
    assert (await socket.connect())[0]
    assert orjson.loads(await socket.receive_from(timeout=SOON_S))["type"] == "status"
    await in_thread(log_points)(run, {"loss": [2.0]})

    found = orjson.loads(await socket.receive_from(timeout=SOON_S))

    assert (found["type"], found["name"], found["value"]) == ("metric", "loss", 2.0)
    await socket.disconnect()
