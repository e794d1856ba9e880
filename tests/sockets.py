"""WebSockets as far as tests need them: opened, and what the server says read frame by frame."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT_S = 30
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT, CLOSE, PING = 1, 8, 9


@contextmanager
def open_socket(port: int, path: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as one:
        one.sendall(HANDSHAKE.format(path=path).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _read(one, 1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield one


def read_frame(one: socket.socket) -> tuple[int, bytes]:
    """What kind it is, and what it says. Servers do not mask their frames."""
    first, size = _read(one, 2)
    if size == 126:
        (size,) = struct.unpack(">H", _read(one, 2))
    elif size == 127:
        (size,) = struct.unpack(">Q", _read(one, 8))
    return first & 15, _read(one, size)


def answer_ping(one: socket.socket, said: bytes) -> None:
    """Who does not is taken to be gone. What clients say is masked; by nothing, here."""
    one.sendall(bytes([0x8A, 0x80 | len(said), 0, 0, 0, 0]) + said)


def read_close_code(one: socket.socket) -> int:
    """Of the frame that ends it; others before are passed over."""
    while True:
        kind, said = read_frame(one)
        if kind == CLOSE:
            return int(struct.unpack(">H", said[:2])[0])


def _read(one: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = one.recv(size - len(parts))
        assert part, "the server hung up"
        parts += part
    return parts
