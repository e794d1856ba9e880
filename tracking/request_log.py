"""One request: its id, which goes into its answer and every line of the log; its line; its figures.

Wraps the whole application, so that views and consumers are told of alike. What is known only
inside, the route and the user, is noted there: `note_route`, `note_user`.
"""

import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.admindocs import utils as urls
from django.utils.functional import LazyObject, empty

from tracking import telemetry
from tracking.domain.outages import OUTAGES, RETRY_AFTER_S, tell_outage

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER = b"x-request-id"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")  # safe in a header and in a line of a log
CONVERTER = re.compile(r"<\w+:")
WENT_AWAY = 499  # nobody took the answer: nginx's number for it
BROKE = "Something went wrong here; the server's log says what, under this id."

access_log = logging.getLogger("runyard.access")
log = logging.getLogger("runyard.requests")


class Request:
    """What is known of a request so far. Shared by all threads and tasks that serve it."""

    __slots__ = ("answered_at", "began_at", "id", "is_watching", "route", "sent", "status", "user")

    def __init__(self, request_id: str) -> None:
        self.id = request_id
        self.began_at = time.perf_counter()
        self.answered_at = 0.0
        self.route = ""
        self.status = 0
        self.sent = 0  # bytes
        self.user: Any = None
        self.is_watching = ""


_current: ContextVar[Request | None] = ContextVar("request", default=None)


def request_id() -> str:
    """Of the request that is being served; "" outside of one. A job of the writer has its sender's."""
    request = _current.get()
    return request.id if request else ""


def note_route(pattern: str) -> None:
    """`pattern`: how the URL map writes it."""
    if request := _current.get():
        request.route = tell_route(pattern)


def note_user(user: Any) -> None:
    """Read at the end, and not looked up for it if nobody asked who it is."""
    if request := _current.get():
        request.user = user


@lru_cache(maxsize=1000)  # as long as the URL map
def tell_route(pattern: str) -> str:
    """`^projects/(?P<project>[^/]+)/?$` and `projects/<str:project>` as `/projects/<project>`."""
    text = urls.replace_named_groups(urls.remove_non_capturing_groups(pattern))
    text = urls.replace_metacharacters(urls.replace_unnamed_groups(text))
    return "/" + CONVERTER.sub("<", text).strip("/")


def watch_requests(app: AsgiApp) -> AsgiApp:
    """Gives each request an id, answers what broke, counts and tells of it when it is over."""

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        request = Request(find_id(scope["headers"]))
        token = _current.set(request)
        try:
            await _serve(app, scope, receive, _noting(request, scope, send))
        finally:
            _finish(request, scope)
            _current.reset(token)

    return watched


def find_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The caller's, if it is one to print; else a new one."""
    for name, value in headers:
        if name == HEADER and REQUEST_ID.fullmatch(value):
            return value.decode()
    return secrets.token_hex(8)


async def _serve(app: AsgiApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What a consumer breaks by is told under the request's id; daphne would not know it."""
    request = _current.get()
    try:
        await app(scope, receive, send)
    except Exception as error:
        if scope["type"] != "http" or (request and request.status):
            raise  # there is no answer to give any more
        if isinstance(error, OUTAGES):
            await _answer(send, 503, {"detail": tell_outage(error)})
            return
        log.exception("Broke while answering %s %s", scope["method"], tell_path(scope))
        await _answer(send, 500, {"detail": BROKE, "request_id": request_id()})


async def _answer(send: Send, status: int, answer: dict[str, str]) -> None:
    headers = [(b"Content-Type", b"application/json")]
    if status == 503:
        headers.append((b"Retry-After", str(RETRY_AFTER_S).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _noting(request: Request, scope: Scope, send: Send) -> Send:
    async def noting(message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body":
            request.sent += len(message.get("body", b""))
        elif kind == "websocket.send":
            request.sent += len(message.get("text") or message.get("bytes") or b"")
        elif kind in {"http.response.start", "websocket.accept"}:
            _note_start(request, scope, message)
        elif kind == "websocket.close" and not request.status:
            request.status, request.answered_at = 403, time.perf_counter()
        await send(message)

    return noting


def _note_start(request: Request, scope: Scope, message: Message) -> None:
    request.answered_at = time.perf_counter()
    request.status = message.get("status", 101)
    header = (b"X-Request-ID", request.id.encode())
    message["headers"] = [*message.get("headers", ()), header]
    if request.route.endswith("/stream") and request.status == 200 and scope["method"] == "GET":
        request.is_watching = "sse"
    elif scope["type"] == "websocket":
        request.is_watching = "websocket"
    if request.is_watching:
        telemetry.watchers.labels(request.is_watching).inc()


def _finish(request: Request, scope: Scope) -> None:
    if request.is_watching:
        telemetry.watchers.labels(request.is_watching).dec()
    method = scope.get("method", "WEBSOCKET")
    status = request.status or WENT_AWAY
    answered_at = request.answered_at or time.perf_counter()
    telemetry.count_answer(request.route, method, status, answered_at - request.began_at)
    if settings.LOG_REQUESTS:
        _tell(request, method, status, tell_path(scope))


def _tell(request: Request, method: str, status: int, path: str) -> None:
    took_ms = round((time.perf_counter() - request.began_at) * 1000, 1)
    facts = {
        "method": method,
        "path": path,
        "status": status,
        "ms": took_ms,
        "bytes": request.sent,
        "user": name_of(request.user),
    }
    text = "%(method)s %(path)s %(status)s %(ms)s ms %(bytes)s bytes %(user)s"
    access_log.info(text, facts, extra=facts)


def tell_path(scope: Scope) -> str:
    """Without the query, which may hold secrets and searches; a line break stays one of an address."""
    return quote(scope["path"][:1000], safe="/~:@!$&'()*+,;=")


def name_of(user: Any) -> str:
    if isinstance(user, LazyObject) and user.__dict__.get("_wrapped", empty) is empty:
        return "-"
    return getattr(user, "username", "") or "-"
