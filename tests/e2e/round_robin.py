"""A proxy before several servers: each connection goes to the next one that takes it."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

from tests.e2e.live import free_port

PIECE_BYTES = 64 * 1024
CONNECT_S = 5


class RoundRobin:
    """Passes bytes on, and knows nothing of HTTP: as little help as a proxy can be."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._turn = 0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept_all, daemon=True).start()

    def __enter__(self) -> "RoundRobin":
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept_all(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            if server is None:
                client.close()
                continue
            threading.Thread(target=_join, args=[client, server], daemon=True).start()

    def _connect(self) -> socket.socket | None:
        self._turn += 1
        for place in range(len(self._ports)):
            port = self._ports[(self._turn + place) % len(self._ports)]
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", port), CONNECT_S)
                server.settimeout(None)
                return server
        return None


def _join(client: socket.socket, server: socket.socket) -> None:
    with client, server:
        back = threading.Thread(target=_pass_on, args=[server, client], daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of them hangs up; then the other is told, once it has got everything."""
    with suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
