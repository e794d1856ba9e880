"""A stream as a test reads it: driven as the server drives it, through config.asgi."""

from contextlib import asynccontextmanager
from typing import Any

import orjson
from asgiref.testing import ApplicationCommunicator

from config.asgi import application


class Watcher:
    """An open stream, read event by event."""

    def __init__(self, app: ApplicationCommunicator) -> None:
        self.app = app
        self.text = ""

    async def next_frame(self) -> str:
        while "\n\n" not in self.text:
            message = await self.app.receive_output(timeout=20)
            assert message["type"] == "http.response.body"
            self.text += message["body"].decode()
        frame, self.text = self.text.split("\n\n", 1)
        return frame

    async def next_event(self) -> tuple[str, dict[str, Any], str]:
        """Name, data and id of the next event; comments and `retry` are passed over."""
        while True:
            fields = dict(line.split(": ", 1) for line in (await self.next_frame()).split("\n"))
            if "event" in fields:
                return fields["event"], orjson.loads(fields["data"]), fields.get("id", "")


def stream_scope(
    path: str, headers: tuple[tuple[bytes, bytes], ...] = (), *, method: str = "GET"
) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *headers],
    }


@asynccontextmanager
async def open_stream(
    path: str, headers: tuple[tuple[bytes, bytes], ...] = (), *, method: str = "GET"
):
    app = ApplicationCommunicator(application, stream_scope(path, headers, method=method))
    await app.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await app.receive_output(timeout=20)
    yield start, Watcher(app)
    if not app.future.done():
        await app.send_input({"type": "http.disconnect"})
        await app.wait(timeout=20)
