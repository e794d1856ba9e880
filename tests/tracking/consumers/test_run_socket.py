"""The WebSocket of a run, driven as the server drives it: through config.asgi."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from config.asgi import application
from tests.factories import NOON_US, log_points, make_run
from tests.people import make_person, share
from tracking.consumers import heart, run_socket
from tracking.domain.deletion import delete_runs
from tracking.domain.jwt import make_jwt
from tracking.domain.runs import finish_run, reopen_run
from tracking.domain.tokens import create_token, revoke_token
from tracking.enums import Role, RunStatus
from tracking.models import Membership, Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
in_thread = database_sync_to_async
WAIT_S = 20


@pytest.fixture
def run() -> Run:
    run = make_run("run-1")
    log_points(run, {"loss": [1.0]})
    return run


@pytest.fixture
def alice(run, settings) -> User:
    """In login mode, where Alice owns the project."""
    settings.ACCESS = "login"
    alice = make_person("alice")
    Project.objects.update(owner=alice)
    return alice


@pytest.fixture
def quick_beat(monkeypatch) -> None:
    monkeypatch.setattr(heart, "HEARTBEAT_S", 0.05)


@asynccontextmanager
async def knock(path: str, *, subprotocols: list[str] | None = None, **headers: str):
    """The socket, and whether it was let in."""
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    if "host" not in headers:
        sent.append((b"host", b"localhost"))
    socket = WebsocketCommunicator(application, path, headers=sent, subprotocols=subprotocols)
    is_in, chosen = await socket.connect(timeout=WAIT_S)
    socket.chosen = chosen
    yield socket, is_in
    if is_in:
        await socket.disconnect(timeout=WAIT_S)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def is_let_in(path: str, **options: Any) -> bool:
    """Not only to be told that it may not come in."""
    async with knock(path, **options) as (socket, is_in):
        if not is_in:
            return False
        return (await socket.receive_output(timeout=WAIT_S))["type"] == "websocket.send"


async def news(socket: WebsocketCommunicator) -> dict[str, Any]:
    return await socket.receive_json_from(timeout=WAIT_S)


async def test_points_come_one_by_one_as_they_are_logged(run):
    async with knock(f"/ws/{run.pk}") as (socket, _):
        status = await news(socket)
        await in_thread(log_points)(run, {"loss": [0.5], "acc": [0.85]}, first_step=1)
        points = [await news(socket) for _ in range(2)]

    assert status | {"timestamp": ""} == {
        "type": "status", "run_id": run.pk, "timestamp": "", "status": "running",
    }  # fmt: skip
    assert points == [
        {
            "type": "metric",
            "run_id": run.pk,
            "name": name,
            "value": value,
            "step": 1,
            "timestamp": "2026-01-01T12:00:01",
        }
        for name, value in (("loss", 0.5), ("acc", 0.85))
    ]


async def test_status_is_told_in_the_words_of_the_api(run):
    told = []
    async with knock(f"/ws/{run.pk}/") as (socket, _):
        told.append(await news(socket))
        for status in (RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED):
            await in_thread(finish_run)(run, status=status)
            told.append(await news(socket))
        await in_thread(reopen_run)(run)
        told.append(await news(socket))

    assert [one["status"] for one in told] == [
        "running", "completed", "stopped", "failed", "running",
    ]  # fmt: skip


async def test_history_comes_on_request_from_its_time_on(run):
    await in_thread(log_points)(run, {"loss": [0.5, 0.25]}, first_step=1)
    since_ms = NOON_US // 1_000 + 1_000

    async with knock(f"/ws/{run.pk}?since={since_ms}") as (socket, _):
        past = [await news(socket) for _ in range(3)]
        await in_thread(log_points)(run, {"loss": [0.1]}, first_step=3)
        live = await news(socket)

    assert [one.get("value") for one in past] == [0.5, 0.25, None]
    assert (past[2]["type"], live["step"]) == ("status", 3)


async def test_numbers_that_json_cannot_write_are_named(run):
    numbers = [float("nan"), float("inf"), float("-inf")]
    async with knock(f"/ws/{run.pk}") as (socket, _):
        await news(socket)
        await in_thread(log_points)(run, {"loss": numbers}, first_step=1)
        values = [(await news(socket))["value"] for _ in range(3)]

    assert values == ["NaN", "Infinity", "-Infinity"]


async def test_lost_hint_is_made_up_for_by_the_beat(run, quick_beat):
    layer = get_channel_layer()
    async with knock(f"/ws/{run.pk}") as (socket, _):
        await news(socket)
        layer.groups.clear()
        await in_thread(log_points)(run, {"loss": [0.5]}, first_step=1)
        point = await news(socket)

    assert point["step"] == 1


async def test_deleted_run_closes_the_socket(run):
    async with knock(f"/ws/{run.pk}") as (socket, _):
        await news(socket)
        await in_thread(delete_runs)(Run.objects.all())
        told, closing = await news(socket), await socket.receive_output(timeout=WAIT_S)

    assert told | {"timestamp": ""} == {"type": "deleted", "run_id": run.pk, "timestamp": ""}
    assert closing["code"] == run_socket.GONE


async def test_what_the_client_says_changes_nothing(run):
    async with knock(f"/ws/{run.pk}") as (socket, _):
        await news(socket)
        for _ in range(100):
            await socket.send_to(text_data='{"type": "run.changed", "revision": 99}')
            await socket.send_to(bytes_data=b"\x00\xff")
        await in_thread(log_points)(run, {"loss": [0.5]}, first_step=1)

        assert (await news(socket))["step"] == 1


@pytest.mark.parametrize(
    "path",
    ["/ws/99", f"/ws/{'9' * 40}", "/ws/abc", "/ws/", "/ws/1/more", "/nowhere"],
)
async def test_where_there_is_no_run_nobody_is_let_in(run, path):
    assert not await is_let_in(path)


@pytest.mark.parametrize(
    ("path", "code"), [("/ws/99", 4404), ("/ws/{}?since=x", 4400), ("/ws/99?since=x", 4400)]
)
async def test_reason_for_which_it_is_closed_is_a_code(run, path, code):
    async with knock(path.format(run.pk)) as (socket, _):
        closing = await socket.receive_output(timeout=WAIT_S)

    assert (closing["type"], closing["code"]) == ("websocket.close", code)


@pytest.mark.parametrize("query", ["since=x", "since=", "since=1e400", "since=%ff", "since=%00"])
async def test_wrong_since_is_refused(run, query):
    assert not await is_let_in(f"/ws/{run.pk}?{query}")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, True),
        ({"origin": "http://localhost"}, True),
        ({"origin": "http://elsewhere.example"}, False),
        ({"origin": "null"}, False),
        ({"host": "elsewhere.example"}, False),
    ],
)
async def test_pages_of_other_sites_are_refused(run, headers, expected):
    assert await is_let_in(f"/ws/{run.pk}", **headers) is expected


async def test_wrong_token_is_refused_even_where_none_is_needed(run):
    assert await is_let_in(f"/ws/{run.pk}")
    assert not await is_let_in(f"/ws/{run.pk}", **bearer("wrong"))
    assert not await is_let_in(f"/ws/{run.pk}", subprotocols=["bearer", "wrong"])


async def test_token_comes_by_header_or_subprotocol_and_never_by_the_address(run, alice):
    _, secret = await in_thread(create_token)(alice, name="job", can_write=False)
    jwt = await in_thread(make_jwt)(alice)
    path = f"/ws/{run.pk}"

    assert not await is_let_in(path)
    assert not await is_let_in(f"{path}?token={secret}&access_token={jwt}")
    for token in (secret, jwt):
        assert await is_let_in(path, **bearer(token))
        async with knock(path, subprotocols=["bearer", token]) as (socket, is_in):
            assert (is_in, socket.chosen) == (True, "bearer")
            assert (await news(socket))["type"] == "status"


async def test_session_is_as_good(run, alice, async_client):
    await async_client.aforce_login(alice)
    cookie = f"sessionid={async_client.cookies['sessionid'].value}"

    assert await is_let_in(f"/ws/{run.pk}", cookie=cookie)
    assert not await is_let_in(f"/ws/{run.pk}", cookie="sessionid=wrong")


async def test_members_watch_and_strangers_do_not(run, alice):
    bob, charlie = [await in_thread(make_person)(name) for name in ("bob", "charlie")]
    await in_thread(share)(run.project, bob, Role.VIEWER)
    path = f"/ws/{run.pk}"

    assert await is_let_in(path, **bearer(await in_thread(make_jwt)(bob)))
    assert not await is_let_in(path, **bearer(await in_thread(make_jwt)(charlie)))


async def test_token_of_another_project_does_not_open_this_one(run, alice):
    other = (await in_thread(make_run)("run-1", project="other")).project
    await Project.objects.aupdate(owner=alice)
    _, secret = await in_thread(create_token)(alice, name="a", can_write=True, project=other)

    assert not await is_let_in(f"/ws/{run.pk}", **bearer(secret))


@pytest.mark.parametrize("end", ["revoked", "disabled", "password", "membership"])
async def test_who_may_no_longer_watch_is_sent_away(run, alice, quick_beat, end):
    bob = await in_thread(make_person)("bob")
    await in_thread(share)(run.project, bob, Role.VIEWER)
    token, secret = await in_thread(create_token)(bob, name="job", can_write=False)
    secret = await in_thread(make_jwt)(bob) if end == "password" else secret

    async with knock(f"/ws/{run.pk}", **bearer(secret)) as (socket, _):
        await news(socket)
        match end:
            case "revoked":
                await in_thread(revoke_token)(token)
            case "disabled":
                await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
            case "password":
                await User.objects.filter(pk=bob.pk).aupdate(password="other")
            case "membership":
                await Membership.objects.all().adelete()
        closing = await socket.receive_output(timeout=WAIT_S)
        if end == "membership":
            assert closing["type"] == "websocket.send"
            closing = await socket.receive_output(timeout=WAIT_S)

    expected = run_socket.GONE if end == "membership" else run_socket.NOT_SIGNED_IN
    assert (closing["type"], closing["code"]) == ("websocket.close", expected)


async def test_watcher_that_takes_nothing_is_cut(run, monkeypatch):
    monkeypatch.setattr(run_socket, "PATIENCE_S", 0.05)
    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])
        if message["type"] == "websocket.send":
            await asyncio.sleep(WAIT_S)

    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "path": f"/ws/{run.pk}",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "subprotocols": [],
    }
    await asyncio.wait_for(application(scope, inbox.get, send), WAIT_S)

    assert sent == ["websocket.accept", "websocket.send", "websocket.cut"]


async def test_nothing_is_left_behind(run):
    layer = get_channel_layer()
    async with knock(f"/ws/{run.pk}") as (socket, _):
        await news(socket)
        assert len(layer.groups[f"run.{run.pk}"]) == 1

    assert layer.groups.get(f"run.{run.pk}", {}) == {}
