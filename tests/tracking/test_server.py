import asyncio
from io import BytesIO
from typing import Any

import pytest

from tracking.server import PART_BYTES, DiskBody, DiskFile, read_from_disk

SENT = {"type": "http.disconnect"}


async def received(messages: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first messages that an application gets, of these that daphne queues."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in messages:
        queue.put_nowait(message)
    got: list[dict[str, Any]] = []

    async def app(scope, receive, send):
        got.extend([await receive() for _ in range(count)])

    await asyncio.wait_for(read_from_disk(app)({"type": "http"}, queue.get, None), 10)
    return got


def queued(body: bytes) -> dict[str, Any]:
    """What daphne makes of the file it reads from."""
    part = DiskFile(BytesIO(body)).read(8192)
    return {"type": "http.request", "body": part, "more_body": not len(part) < 8192}


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES * 2 + 5])
async def test_body_on_disk_comes_in_parts(size):
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    count = size // PART_BYTES + 1

    *parts, last = await received([queued(body), SENT], count + 1)

    assert last == SENT
    assert b"".join(part["body"] for part in parts) == body
    assert [part["more_body"] for part in parts] == [True] * (count - 1) + [False]
    assert all(len(part["body"]) <= PART_BYTES for part in parts)


async def test_other_messages_pass_as_they_are():
    small = {"type": "http.request", "body": b"small", "more_body": False}

    assert await received([small, SENT], 2) == [small, SENT]


async def test_client_that_left_took_the_body_along():
    message = queued(b"x" * 10)
    message["body"].file.close()

    assert await received([message], 1) == [SENT]


def test_whole_body_can_still_be_read_at_once():
    """As for a request that is upgraded to a WebSocket."""
    assert DiskFile(BytesIO(b"body")).read() == b"body"
    assert isinstance(DiskFile(BytesIO(b"body")).read(3), DiskBody)
