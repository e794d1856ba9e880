"""Daphne, with large bodies left on disk.

As it comes, it reads a whole body into memory before the application sees any of it, and Twisted
below it parses forms there, which Django does again: an upload of 300 MB took 4 GB and 19 s.
"""

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import IO, Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
AsgiApp = Callable[[dict[str, Any], Receive, Any], Awaitable[None]]
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


class DiskRequest(WebRequest):
    """Twisted keeps bodies under 100 KB in memory; those need nothing of this."""

    content: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"parsePOSTFormSubmission": False}))

    def process(self) -> Any:
        if not isinstance(self.content, BytesIO):
            self.content = DiskFile(self.content)
        return super().process()


class DiskFactory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 -- Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = DiskRequest
        return protocol


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


def run_server(app: AsgiApp, endpoints: list[str]) -> None:
    """Serve until a signal comes."""
    daphne.server.HTTPFactory = DiskFactory  # Server.run offers no other way to say so
    daphne.server.Server(
        application=read_from_disk(app), endpoints=endpoints, server_name="Runyard"
    ).run()
