"""A server with an application that behaves badly: `python -m tests.tracking.served PORT`."""

import asyncio
import sys
from typing import Any

from tracking.server import run_server

PIECE_BYTES = 256 * 1024
FRAME_BYTES = 32 * 1024
TOTAL_BYTES = 256 * PIECE_BYTES
sent: list[int] = []  # sizes of the pieces that the server has taken
cuts: list[str] = []
told: list[int] = []  # as `sent`, by WebSocket
heard: list[str] = []  # kinds of messages from WebSockets
COUNTS = {
    "/sent": lambda: sum(sent),
    "/told": lambda: sum(told),
    "/heard": lambda: len(heard),
    "/cuts": lambda: len(cuts),
}


async def answer(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def flood(send: Any) -> None:
    """As fast as it may, much more than the buffers of a connection hold."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(TOTAL_BYTES // PIECE_BYTES):
        await send({"type": "http.response.body", "body": bytes(PIECE_BYTES), "more_body": True})
        sent.append(PIECE_BYTES)
    await send({"type": "http.response.body"})


async def cut(send: Any) -> None:
    """Until the client takes no more, and then not a moment longer."""
    try:
        async with asyncio.timeout(1):
            await flood(send)
    except TimeoutError:
        await send({"type": "http.response.cut"})
        cuts.append("cut")


async def flood_socket(receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    for _ in range(TOTAL_BYTES // FRAME_BYTES):
        await send({"type": "websocket.send", "bytes": bytes(FRAME_BYTES)})
        told.append(FRAME_BYTES)
    while (message := await receive())["type"] != "websocket.disconnect":
        heard.append(message["type"])


async def answer_late(send: Any, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await answer(send, b"late")


async def stream(receive: Any, send: Any) -> None:
    headers = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await flood_socket(receive, send)
        return
    match scope["path"]:
        case "/sent" | "/told" | "/heard" | "/cuts" as path:
            await answer(send, str(COUNTS[path]()).encode())
        case "/flood":
            await flood(send)
        case "/cut":
            await cut(send)
        case "/late":
            await answer_late(send, float(scope["query_string"]))
        case "/stream":
            await stream(receive, send)
        case "/broken":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise ValueError("broken")
        case _:
            await answer(send, str(len(scope["query_string"])).encode())


if __name__ == "__main__":
    run_server(app, [f"tcp:port={sys.argv[1]}:interface=127.0.0.1"], stop_within_s=2)
