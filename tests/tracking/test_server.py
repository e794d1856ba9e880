import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from io import BytesIO
from typing import Any

import pytest

from tests.tracking.served import TOTAL_BYTES
from tracking.server import PART_BYTES, SAID_BYTES, DiskBody, DiskFile, read_from_disk

TIMEOUT_S = 20
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


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.tracking.served", str(number)])
    try:
        wait_until(lambda: is_open(number))
        yield number
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_open(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def asked(port: int, path: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.request("GET", path)
    with closing(connection), connection.getresponse() as answer:
        yield answer


def count_sent(port: int, path: str = "/sent") -> int:
    with asked(port, path) as answer:
        return int(answer.read())


def test_answer_waits_for_a_client_that_does_not_read(port):
    counts = [-1]

    def has_stopped() -> bool:
        counts.append(count_sent(port))
        return counts[-1] == counts[-2]

    with asked(port, "/flood") as flood:
        wait_until(has_stopped)
        size = len(flood.read())

    assert counts[-1] < TOTAL_BYTES / 2
    assert size == TOTAL_BYTES


def test_client_that_reads_nothing_can_be_cut(port):
    with asked(port, "/cut") as answer:
        wait_until(lambda: count_sent(port, "/cuts"))
        with pytest.raises((IncompleteRead, ConnectionResetError)):
            answer.read()


@contextmanager
def open_socket(port: int) -> Iterator[socket.socket]:
    """A WebSocket that has sent its handshake and has read nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as client:
        client.sendall(
            b"GET /flood HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        yield client


def frame(text: bytes) -> bytes:
    """A client's frame, masked with nothing."""
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else b"\xff" + size.to_bytes(8, "big")
    return b"\x81" + length + bytes(4) + text


def test_socket_waits_for_a_client_that_does_not_read(port):
    counts = [-1]

    def has_stopped() -> bool:
        counts.append(count_sent(port, "/told"))
        return counts[-1] == counts[-2] > 0

    with open_socket(port) as client:
        wait_until(has_stopped)
        stopped_at, size = counts[-1], 0
        while size < TOTAL_BYTES:
            size += len(client.recv(1024**2))

    assert stopped_at < TOTAL_BYTES / 2
    wait_until(lambda: count_sent(port, "/told") == TOTAL_BYTES)


@pytest.mark.parametrize(
    "line", [b"GET /flood\xe9 HTTP/1.1", b"Sec-WebSocket-Protocol: bearer, \xe9", b"X-\xe9: 1"]
)
def test_handshake_that_is_no_ascii_is_refused(port, line):
    asks = line if line.startswith(b"GET") else b"GET /flood HTTP/1.1\r\n" + line
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as client:
        client.sendall(
            asks + b"\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

        assert client.recv(12) == b"HTTP/1.1 400"


def test_what_a_socket_is_told_is_not_kept(port):
    with open_socket(port) as client:
        assert client.recv(12) == b"HTTP/1.1 101"
        client.sendall(frame(b"hello") * 1_000)
        client.sendall(frame(b"x" * (SAID_BYTES + 1)))
        with suppress(ConnectionResetError):
            while client.recv(1024**2):
                pass

    assert count_sent(port, "/heard") == 0


def test_answer_that_breaks_off_is_closed_each_time(port):
    for _ in range(2):
        with asked(port, "/broken") as broken, pytest.raises(IncompleteRead) as error:
            broken.read()
        assert error.value.partial == b"half"


def test_client_that_leaves_ends_the_wait(port):
    before = count_sent(port)

    with asked(port, "/flood") as flood:
        flood.read(1)

    wait_until(lambda: count_sent(port) == before + TOTAL_BYTES)


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_long_address_is_read(port, size):
    with asked(port, f"/?{'x' * size}") as answer:
        assert answer.read() == str(size).encode()
