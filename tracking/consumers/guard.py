"""What Django's middleware does for views, for consumers: Host, Origin, and who is asking."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from django.http import parse_cookie
from django.utils.functional import SimpleLazyObject

from tracking.domain.callers import find_caller, recall_caller
from tracking.domain.identity import find_user
from tracking.errors import InvalidCredentials
from tracking.origin import SAFE_METHODS, refuse_origin
from tracking.request_log import note_user

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
SUBPROTOCOL = "bearer"  # followed by the token: browsers cannot send a WebSocket another header
NOT_SIGNED_IN = 4401  # closes a WebSocket; codes from 4000 on are the application's


class Guard:
    """Wraps consumer routes: a request that may not come in is answered here.

    The scope gets a `user`, and `find_user`, which looks again who that is: a consumer that stays
    asks it now and then, off the event loop. It raises InvalidCredentials.
    """

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        method = scope.get("method", "CONNECT")  # a WebSocket has none; its Origin always counts
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        if refusal := refuse_origin(method, host=host, origin=origin):
            await _refuse(scope, send, *refusal)
            return
        credentials = find_credentials(scope, headers)
        look = partial(find_user, *credentials)
        try:
            user = recall_caller(credentials[0]) or await _look_up(credentials)
        except InvalidCredentials as error:
            await _refuse(scope, send, 401, str(error))
        else:
            note_user(user)
            await self.app(scope | {"user": user, "find_user": look}, receive, send)


def find_credentials(scope: Scope, headers: dict[bytes, str]) -> tuple[str, str]:
    """The Authorization and the session's key. A session changes nothing here: only pages and
    REST views have a way to tell that it was its owner's wish.
    """
    authorization = headers.get(b"authorization", "")
    match scope.get("subprotocols", []):
        case [first, token, *_] if first == SUBPROTOCOL and not authorization:
            authorization = f"Bearer {token}"
    if scope.get("method", "GET") not in SAFE_METHODS:
        return authorization, ""
    cookies = parse_cookie(headers.get(b"cookie", ""))
    return authorization, cookies.get(settings.SESSION_COOKIE_NAME, "")


async def _look_up(credentials: tuple[str, str]) -> Any:
    """Raises: InvalidCredentials."""
    look = partial(find_caller, *credentials)
    if any(credentials):
        return await database_sync_to_async(look)()
    # Nothing need be looked up before the consumer has a thread.
    return SimpleLazyObject(look) if settings.ACCESS == "open" else look()


async def close(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 -- ASGI's signature
    """For a WebSocket's path that nobody answers."""
    await send({"type": "websocket.close"})


def chosen_protocol(scope: Scope) -> str | None:
    """A browser that offers some gives up a connection for which none was chosen."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", []) else None


async def _refuse(scope: Scope, send: Send, status: int, detail: str) -> None:
    """A WebSocket without a good token is opened, and closed with a code: of one that is not
    opened a browser tells its page nothing at all. Other sites' pages need not know more.
    """
    if scope["type"] == "websocket":
        if status == 401:
            await send({"type": "websocket.accept", "subprotocol": chosen_protocol(scope)})
        await send({"type": "websocket.close", "code": NOT_SIGNED_IN})
        return
    headers = [(b"Content-Type", b"application/json")]
    if status == 401:
        headers.append((b"WWW-Authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"detail": detail})})
