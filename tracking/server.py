"""Daphne, taught not to fill the memory: with large bodies left on disk, and answers that wait.

As it comes, it reads a whole body into memory before the application sees any of it, and Twisted
below it parses forms there, which Django does again: an upload of 300 MB took 4 GB and 19 s. What
it sends it keeps until the client has taken it: a download of 600 MB that nobody read took 600 MB.
"""

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import IO, Any

import daphne.server
from autobahn.websocket.types import ConnectionDeny
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.web.http import HTTPChannel

from tracking.ending import RESTART, Connections, end_server

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
AsgiApp = Callable[[dict[str, Any], Receive, Any], Awaitable[None]]
HEAD_BYTES = 128 * 1024  # an address, or a Last-Event-ID, may name a thousand runs
SAID_BYTES = 64 * 1024  # at most in one message of a WebSocket, whoever says it
PART_BYTES = 256 * 1024  # large enough to cost little, small enough to let others run in between


class DiskBody:
    """Stands in a message for a body that lies in `file`. Daphne takes it for the last part."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def __len__(self) -> int:
        return 0


class DiskFile:
    """The file Twisted keeps a large body in; reading a part gives a DiskBody instead."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes | DiskBody:
        return self._file.read() if size < 0 else DiskBody(self._file)


class LeanRequest(WebRequest):
    """Twisted keeps bodies under 100 KB in memory; those need nothing of this.

    It stands before Twisted as a producer, which is told when the connection's buffer is full.
    """

    content: Any
    is_stream = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"parsePOSTFormSubmission": False}))
        self.has_room = asyncio.Event()
        self.has_room.set()

    def process(self) -> Any:
        if not isinstance(self.content, BytesIO):
            self.content = DiskFile(self.content)
        self.registerProducer(self, streaming=True)
        if self.server.is_ending:
            self.be_the_last()
        return super().process()

    def be_the_last(self) -> None:
        """The connection ends with the answer, and the client is told if it still can be."""
        self.channel.persistent = False
        if not self.startedWriting:
            self.responseHeaders.setRawHeaders(b"Connection", [b"close"])

    def end_stream(self) -> None:
        """The server is about to end: a stream does now, anything else with its answer."""
        if self.finished or self.channel is None:
            return
        self.be_the_last()
        if self.is_stream:
            self.finish()

    def pauseProducing(self) -> None:  # noqa: N802 -- Twisted's name, as those below
        self.has_room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.has_room.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.has_room.set()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.has_room.set()  # nobody takes it, so there is always room for more
        super().connectionLost(reason)

    def cut(self) -> None:
        """End the connection without waiting for the client to take what was sent."""
        if self.channel:
            self.channel.transport.abortConnection()

    def finish(self) -> None:
        self.unregisterProducer()
        super().finish()

    def handle_exception(self, exception: Exception) -> None:
        """Daphne would start a second answer; that fails, and with it its care of all others."""
        if self._response_started:
            self.loseConnection()
        else:
            super().handle_exception(exception)


class LeanSocket(WebSocketProtocol):
    """A WebSocket that only tells: what a client says is not kept for anybody."""

    def onConnect(self, request: Any) -> Any:  # noqa: N802 -- Autobahn's name
        """Daphne reads these as ASCII, and takes anything else for an error of its own."""
        texts = (request.path, request.headers.get("sec-websocket-protocol", ""), *request.headers)
        if not all(text.isascii() for text in texts):
            raise ConnectionDeny(400, "Bad Request")
        return super().onConnect(request)

    def connectionMade(self) -> None:  # noqa: N802 -- Twisted's name, as those below
        """In the place of the HTTP connection it grew out of, which does not tell about room."""
        super().connectionMade()
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, streaming=True)

    def pauseProducing(self) -> None:  # noqa: N802
        self.has_room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.has_room.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.has_room.set()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.has_room.set()  # nobody takes it, so there is always room for more
        super().connectionLost(reason)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        pass

    def cut(self) -> None:
        self.transport.abortConnection()

    def end_stream(self) -> None:
        """The server is about to end: the watcher is told to come back."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=RESTART, isReply=False)
        else:
            self.cut()


class LeanSocketFactory(WebSocketFactory):
    protocol = LeanSocket


class LeanFactory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 -- Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LeanRequest
        self.server.http_connections.add(protocol)
        return protocol


class LeanServer(daphne.server.Server):
    is_ending = False

    def __init__(self, *args: Any, stop_within_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stop_within_s = stop_within_s
        self.http_connections = Connections()
        self.ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def kill_all_applications(self) -> "Deferred[None]":
        """In the place of Daphne's, which does not wait for any. Twisted waits for what it returns."""
        self.is_ending = True
        ending = asyncio.ensure_future(end_server(self, self.stop_within_s))
        return Deferred.fromFuture(ending)

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        """The application goes on when the client has taken what was sent before, or gives it up."""
        if isinstance(protocol, LeanRequest | LeanSocket):
            if message["type"] in {"http.response.cut", "websocket.cut"}:
                protocol.cut()
                return
            await protocol.has_room.wait()
            if message["type"] == "http.response.start":
                protocol.is_stream = is_stream(message)
        await super().handle_reply(protocol, message)


_server: LeanServer | None = None


def is_stream(start: Message) -> bool:
    """Whether an answer ends only when somebody ends it."""
    headers = {name.lower(): value for name, value in start.get("headers", [])}
    return headers.get(b"content-type", b"").startswith(b"text/event-stream")


def read_from_disk(app: AsgiApp) -> AsgiApp:
    """The application gets each DiskBody as the parts that the file holds."""

    async def reading(scope: dict[str, Any], receive: Receive, send: Any) -> None:
        body: DiskBody | None = None

        async def receive_part() -> Message:
            nonlocal body
            if body is None:
                message = await receive()
                if not isinstance(message.get("body"), DiskBody):
                    return message
                body = message["body"]
            await asyncio.sleep(0)  # reading does not wait: without this nobody else gets a turn
            message = read_part(body)
            if not message.get("more_body"):
                body = None
            return message

        await app(scope, receive_part, send)

    return reading


def read_part(body: DiskBody) -> Message:
    if body.file.closed:  # the client went away, and Twisted took the file with it
        return {"type": "http.disconnect"}
    part = body.file.read(PART_BYTES)
    return {"type": "http.request", "body": part, "more_body": len(part) == PART_BYTES}


def run_server(app: AsgiApp, endpoints: list[str], *, stop_within_s: float = 10) -> None:
    """Serve until a signal comes; what was asked until then is answered, for so many seconds."""
    daphne.server.HTTPFactory = LeanFactory  # Server.run offers no other way to say so
    daphne.server.WebSocketFactory = LeanSocketFactory
    HTTPChannel.MAX_LENGTH = HTTPChannel.totalHeadersSize = HEAD_BYTES
    global _server  # noqa: PLW0603 -- one process, one server
    _server = LeanServer(
        application=read_from_disk(app),
        endpoints=endpoints,
        stop_within_s=stop_within_s,
        server_name="Runyard",
        websocket_max_message_size=SAID_BYTES,
        websocket_max_frame_size=SAID_BYTES,
    )
    _server.run()


def is_draining() -> bool:
    """Whether this process was told to stop, and only ends what it has begun."""
    return _server is not None and _server.is_ending
