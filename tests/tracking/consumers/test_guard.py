"""Who a consumer lets in, and how long it stays so."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from config.asgi import application
from tests.factories import make_run
from tests.people import make_person, share
from tests.tracking.consumers.watching import open_stream, stream_scope
from tracking.domain.tokens import create_token, revoke_token
from tracking.enums import Role
from tracking.models import ApiToken, Membership, Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
STREAM = "/api/projects/proj/runs/run-1/stream"
MANY = "/api/projects/proj/runs/stream?runs=run-1"
Headers = tuple[tuple[bytes, bytes], ...]


@pytest.fixture(autouse=True)
def _login_mode(settings, monkeypatch):
    settings.ACCESS = "login"
    monkeypatch.setattr("tracking.consumers.heart.HEARTBEAT_S", 0.05)


@pytest.fixture
def alice() -> User:
    alice = make_person("alice")
    make_run()
    Project.objects.update(owner=alice)
    return alice


def session_of(user: User) -> Headers:
    client = Client()
    client.force_login(user)
    return ((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()),)


def token_of(user: User, **scope: Any) -> Headers:
    secret = create_token(user, **({"name": "job", "can_write": True} | scope))[1]
    return ((b"authorization", f"Bearer {secret}".encode()),)


async def refused(path: str, headers: Headers = ()) -> tuple[int, dict[bytes, bytes], Any]:
    async with open_stream(path, headers) as (start, watcher):
        answer = await watcher.app.receive_output(timeout=20)
        headers = dict(start["headers"])
        assert headers.pop(b"X-Request-ID")
        return start["status"], headers, orjson.loads(answer["body"])


async def test_nobody_is_told_to_sign_in(alice):
    assert await refused(STREAM) == (
        401,
        {b"Content-Type": b"application/json", b"WWW-Authenticate": b"Bearer"},
        {"detail": "Sign in, or send a token: Authorization: Bearer …"},
    )


@pytest.mark.parametrize("mode", ["open", "login"])
async def test_wrong_token_is_refused_in_both_modes(alice, settings, mode):
    settings.ACCESS = mode

    status, _, answer = await refused(STREAM, ((b"authorization", b"Bearer ry_wrong"),))

    assert (status, answer) == (401, {"detail": "There is no such API token."})


@pytest.mark.parametrize("credentials", [session_of, token_of])
async def test_session_and_token_let_their_user_in(alice, credentials):
    headers = await sync_to_async(credentials)(alice)

    async with open_stream(STREAM, headers) as (start, watcher):
        assert start["status"] == 200
        assert (await watcher.next_event())[0] == "status"


async def test_stranger_finds_nothing(alice):
    headers = await sync_to_async(lambda: session_of(make_person("charlie")))()

    assert (await refused(STREAM, headers))[::2] == (404, {"detail": "Project 'proj' not found"})


def expire_session() -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def disable() -> None:
    User.objects.update(is_active=False)


def revoke() -> None:
    revoke_token(ApiToken.objects.get())


@pytest.mark.parametrize("path", [STREAM, MANY])
@pytest.mark.parametrize(
    ("credentials", "end"),
    [(session_of, expire_session), (session_of, disable), (token_of, revoke), (token_of, disable)],
)
async def test_open_stream_ends_with_the_permission_to_come_in(alice, path, credentials, end):
    headers = await sync_to_async(credentials)(alice)

    async with open_stream(path, headers) as (_, watcher):
        await watcher.next_event()
        await sync_to_async(end)()

        text = await rest_of(watcher)

    assert "event:" not in text


@pytest.mark.parametrize("path", [STREAM, MANY])
async def test_member_who_is_sent_away_sees_no_more_of_the_run(alice, path):
    bob = await sync_to_async(make_person)("bob")
    await sync_to_async(lambda: share(Project.objects.get(), bob, Role.VIEWER))()
    headers = await sync_to_async(session_of)(bob)

    async with open_stream(path, headers) as (_, watcher):
        await watcher.next_event()
        await Membership.objects.all().adelete()

        assert (await watcher.next_event())[0] == "deleted"


async def rest_of(watcher: Any) -> str:
    """All that comes until the stream ends."""
    async with asyncio.timeout(20):
        parts = [watcher.text]
        while True:
            message = await watcher.app.receive_output(timeout=20)
            parts.append(message["body"].decode())
            if not message.get("more_body"):
                return "".join(parts)


async def post_batch(headers: Headers) -> Any:
    scope = stream_scope("/ingest/v1/batch", (*headers, (b"content-type", b"application/json")))
    app = ApplicationCommunicator(application, scope | {"method": "POST"})
    batch = {
        "format": 1,
        "project": "proj",
        "run": {"uid": "00000000-0000-0000-0000-000000000001", "key": "batch"},
        "producer": "00000000-0000-0000-0000-000000000002",
        "first_seq": 1,
        "last_seq": 1,
        "events": [[1, "start", {}]],
    }
    await app.send_input({"type": "http.request", "body": orjson.dumps(batch)})
    status = (await app.receive_output(timeout=20))["status"]
    answer = orjson.loads((await app.receive_output(timeout=20))["body"])
    await app.wait(timeout=20)
    return status, answer.get("detail", "")


async def test_batches_come_with_a_token_that_may_write(alice):
    writing = await sync_to_async(token_of)(alice)
    reading = await sync_to_async(token_of)(alice, can_write=False)

    assert (await post_batch(writing))[0] == 200
    assert await post_batch(reading) == (403, "This API token may only read.")


async def test_session_changes_nothing_here(alice):
    """No form of ours sends batches: whatever does with a session is another site's."""
    headers = await sync_to_async(session_of)(alice)

    assert (await post_batch(headers))[0] == 401


async def connect(path: str, headers: Headers = (), protocols: tuple[str, ...] = ()) -> list[Any]:
    """What it is told first: two things once it is open."""
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "subprotocols": list(protocols),
    }
    app = ApplicationCommunicator(application, scope)
    await app.send_input({"type": "websocket.connect"})
    answers = [await app.receive_output(timeout=20)]
    if answers[0]["type"] == "websocket.accept":
        assert answers[0].pop("headers")[0][0] == b"X-Request-ID"
        answers.append(await app.receive_output(timeout=20))
    await app.send_input({"type": "websocket.disconnect", "code": 1000})
    await app.wait(timeout=20)
    return answers


@sync_to_async
def socket_path() -> str:
    return f"/ws/{Run.objects.get().pk}"


async def test_socket_takes_the_token_as_subprotocol(alice):
    [(_, header)] = await sync_to_async(token_of)(alice)
    secret, path = header.decode().removeprefix("Bearer "), await socket_path()

    accepted, news = await connect(path, protocols=("bearer", secret))

    assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", "bearer")
    assert news["type"] == "websocket.send"


@pytest.mark.parametrize(
    ("protocols", "chosen"), [((), None), (("bearer", "ry_wrong"), "bearer"), (("chat",), None)]
)
async def test_socket_without_a_good_token_is_opened_to_be_told_so(alice, protocols, chosen):
    assert await connect(await socket_path(), protocols=protocols) == [
        {"type": "websocket.accept", "subprotocol": chosen},
        {"type": "websocket.close", "code": 4401},
    ]


async def test_socket_of_another_sites_page_is_refused(alice):
    headers = await sync_to_async(session_of)(alice)
    foreign = (*headers, (b"origin", b"http://evil.example"))
    path = await socket_path()

    assert (await connect(path, headers))[1]["type"] == "websocket.send"
    assert [answer["type"] for answer in await connect(path, foreign)] == ["websocket.close"]


async def test_socket_path_that_is_none_is_closed():
    assert await connect("/ws/of/nothing") == [{"type": "websocket.close"}]
