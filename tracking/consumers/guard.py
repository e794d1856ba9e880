"""What Django's middleware does for views, for consumers: Host, Origin, and who is asking."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from django.utils.functional import SimpleLazyObject

from tracking.domain.access import local_user
from tracking.origin import refuse_origin

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Wraps consumer routes: a request that may not come in is answered here."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin1")
        origin = headers.get(b"origin", b"").decode("latin1")
        if refusal := refuse_origin(scope["method"], host=host, origin=origin):
            await _refuse(send, *refusal)
        else:
            await self.app(scope | {"user": SimpleLazyObject(local_user)}, receive, send)


async def _refuse(send: Send, status: int, detail: str) -> None:
    headers = [(b"Content-Type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"detail": detail})})
