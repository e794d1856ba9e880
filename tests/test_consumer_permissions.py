"""Every consumer × kind of caller × mode, against the rules of tests/permission_rules.py."""

import uuid
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from config.asgi import application
from tests.permission_routes import CONSUMERS, MODES, SOCKETS, address, may, set_mode
from tests.permission_rules import RULES
from tests.permission_world import TOKENS, make_world


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", MODES)
def test_consumers_hold_the_rules_too(settings: Any, tmp_path: Any, mode: str) -> None:
    set_mode(settings, mode)
    settings.MEDIA_ROOT = tmp_path
    world, wrong = make_world(), {}
    for path in [*CONSUMERS, *SOCKETS]:
        [(method, rule)] = RULES[path].items()
        for caller, client in world.clients.items():
            # Where a session changes nothing, whoever has one is as nobody.
            as_whom = caller if caller in TOKENS or method == "GET" else "anonymous"
            answered = async_to_sync(knock)(client, method, path, world.values)
            if (answered == "in") != may(rule, as_whom, mode):
                wrong[f"{method} {path} by {caller}"] = answered

    assert wrong == {}


async def knock(client: Client, method: str, path: str, values: dict[str, str]) -> str:
    """What a consumer says first."""
    kind = "websocket" if path in SOCKETS else "http"
    app = ApplicationCommunicator(application, consumer_scope(client, kind, method, path, values))
    if kind == "websocket":
        await app.send_input({"type": "websocket.connect"})
    else:
        await app.send_input({"type": "http.request", "body": make_start(method)})
    answer = await app.receive_output(timeout=20)
    if answer["type"] == "websocket.accept":  # who may not come in is told so after that
        answer = await app.receive_output(timeout=20)
    if not app.future.done():
        await app.send_input({"type": f"{kind}.disconnect", "code": 1000})
        await app.wait(timeout=20)
    is_in = answer["type"] == "websocket.send" or answer.get("status") == 200
    return "in" if is_in else str(answer)


def make_start(method: str) -> bytes:
    """A batch that starts a run of its own in the project."""
    if method == "GET":
        return b""
    names = {"run": {"uid": str(uuid.uuid4()), "key": "x"}, "producer": str(uuid.uuid4())}
    events = {"first_seq": 1, "last_seq": 1, "events": [[1, "start", {}]]}
    return orjson.dumps({"format": 1, "project": "proj"} | names | events)


def consumer_scope(
    client: Client, kind: str, method: str, path: str, values: dict[str, str]
) -> dict[str, Any]:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers.append((b"cookie", cookies.encode()))
    if secret := client.defaults.get("HTTP_AUTHORIZATION"):
        headers.append((b"authorization", secret.encode()))
    scope = {"type": kind, "path": address(path, values), "headers": headers}
    return scope | {"method": method, "query_string": b"runs=run-1", "subprotocols": []}
