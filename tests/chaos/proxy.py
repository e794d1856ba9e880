"""Stands between job and server, and makes trouble."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.live import free_port

CHUNK_BYTES = 256 * 1024
PATIENCE_S = 60


class Proxy:
    """`mode` is "open"; "hole": takes connections and never answers; "dead": refuses them.

    `drops_reply(path)` is asked after the server has answered: the request is done, and the
    client is never told. `on_sent(path, sent, size)` hears of each piece of a body.
    """

    def __init__(
        self,
        server_port: int,
        *,
        drops_reply: Callable[[str], bool] = lambda path: False,
        on_sent: Callable[[str, int, int], None] = lambda path, sent, size: None,
    ) -> None:
        self.server_port = server_port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.drops_reply = drops_reply
        self.on_sent = on_sent
        self.dropped_count = 0
        self.mode = "open"
        self.connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._listener: ThreadingHTTPServer | None = None
        self._listen()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *error: object) -> None:
        self.turn("dead")

    def turn(self, mode: str) -> None:
        """Into another mode; what waits in a hole is hung up on."""
        with self._changed:
            self.mode = mode
            self._changed.notify_all()
        if mode == "dead":
            self._hang_up()
        elif self._listener is None:
            self._listen()

    def wait_in_hole(self) -> bool:
        """True if the request fell in: it is not to be answered."""
        with self._changed:
            is_in = self.mode == "hole"
            self._changed.wait_for(lambda: self.mode != "hole", PATIENCE_S)
        return is_in

    def _listen(self) -> None:
        handler = type("BoundHandler", (Handler,), {"proxy": self})
        self._listener = Listener(("127.0.0.1", self.port), handler)
        threading.Thread(target=self._listener.serve_forever, args=[0.02], daemon=True).start()

    def _hang_up(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown()
            listener.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # it has gone by itself
                connection.shutdown(socket.SHUT_RDWR)


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed hangs up; that is what we are here for."""


class Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.proxy.connections.add(self.connection)

    def finish(self) -> None:
        self.proxy.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- its name
        pass

    def do_POST(self) -> None:
        """Whatever goes wrong: hang up without an answer."""
        self.close_connection = True
        if self.proxy.wait_in_hole():
            return
        server = HTTPConnection("127.0.0.1", self.proxy.server_port, timeout=PATIENCE_S)
        try:
            self._send_on(server)
            answer = server.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            return
        finally:
            server.close()
        if self.proxy.wait_in_hole():
            return
        if self.proxy.drops_reply(self.path):
            self.proxy.dropped_count += answer.status == 200
            return
        self.close_connection = False
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_on(self, server: HTTPConnection) -> None:
        size = int(self.headers["Content-Length"])
        server.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            server.putheader(name, value)
        server.endheaders()
        sent = 0
        while sent < size:
            piece = self.rfile.read(min(CHUNK_BYTES, size - sent))
            if not piece:
                raise ConnectionError("The client hung up.")
            server.send(piece)
            sent += len(piece)
            self.proxy.on_sent(self.path, sent, size)
