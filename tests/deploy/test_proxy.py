"""The rules of deploy/nginx/runyard.conf, before two servers that do as they are told."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.services.nginx import Nginx, nginx
from tests.services.process import free_port

pytestmark = pytest.mark.full
WAIT_S = 10
MIB = 1024**2


class Pair:
    """Two servers. `status` of a path is what they say there; `asked` is what they heard."""

    def __init__(self) -> None:
        self.status: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.first_bytes = threading.Event()
        self.go_on = threading.Event()

    def next_status(self, path: str) -> int:
        left = self.status.get(path, [200])
        return left.pop(0) if len(left) > 1 else left[0]


class Handler(BaseHTTPRequestHandler):
    pair: Pair
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.pair.asked.append((self.command, self.path))
        self.pair.headers = dict(self.headers)
        self.read_body()
        status = self.pair.next_status(self.path)
        if status == 0:  # as a server that dies in the middle
            self.close_connection = True
            return
        self.send_response(status)
        if self.path.endswith("/stream"):
            self.tell_slowly()
        else:
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def read_body(self) -> None:
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
            self.pair.first_bytes.set()

    def tell_slowly(self) -> None:
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n")
        self.pair.go_on.wait(WAIT_S)

    def log_message(self, *words: Any) -> None:
        pass


@contextmanager
def listening(pair: Pair, port: int) -> Iterator[None]:
    of_pair = type("HandlerOfPair", (Handler,), {"pair": pair})
    server = ThreadingHTTPServer(("127.0.0.1", port), of_pair)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        pair.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.fixture
def proxy(pair: Pair) -> Iterator[Nginx]:
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(listening(pair, port))
        yield stack.enter_context(nginx(ports))


@contextmanager
def asking(
    proxy: Nginx, method: str, path: str, body: Any = None, **headers: str
) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=WAIT_S)
    try:
        connection.request(method, path, body, headers)
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def ask(proxy: Nginx, method: str, path: str, body: Any = None, **headers: str) -> int:
    with asking(proxy, method, path, body, **headers) as answer:
        answer.read()
        return answer.status


def test_configuration_has_no_fault(proxy: Nginx) -> None:
    assert proxy.find_fault() == ""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_server_that_does_not_listen_is_passed_by(pair: Pair, method: str) -> None:
    ports = [free_port(), free_port()]
    with listening(pair, ports[1]), nginx(ports) as proxy:
        statuses = [ask(proxy, method, "/x", b"{}") for _ in range(6)]

    assert statuses == [200] * 6
    assert pair.asked == [(method, "/x")] * 6


@pytest.mark.parametrize("refusal", [502, 503, 0])
def test_reading_and_batches_are_tried_on_the_other_server(
    pair: Pair, proxy: Nginx, refusal: int
) -> None:
    pair.status = {"/x": [refusal, 200], "/ingest/v1/batch": [refusal, 200]}

    assert ask(proxy, "GET", "/x") == 200
    assert ask(proxy, "POST", "/ingest/v1/batch", b"batch") == 200
    assert pair.asked == [("GET", "/x")] * 2 + [("POST", "/ingest/v1/batch")] * 2


@pytest.mark.parametrize(("refusal", "told"), [(502, 502), (503, 503), (0, 502)])
def test_other_posts_are_sent_once(pair: Pair, proxy: Nginx, refusal: int, told: int) -> None:
    pair.status = {"/api/v1/projects/p/runs": [refusal, 200]}

    assert ask(proxy, "POST", "/api/v1/projects/p/runs", b"{}") == told
    assert pair.asked == [("POST", "/api/v1/projects/p/runs")]


def test_upload_is_passed_on_as_it_comes(pair: Pair, proxy: Nginx) -> None:
    path, size = "/api/v1/projects/p/runs/r/artifacts", 40 * MIB
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=WAIT_S) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
        client.sendall(head.encode() + bytes(MIB))
        assert pair.first_bytes.wait(WAIT_S), "the proxy keeps it until it is whole"
        client.sendall(bytes(size - MIB))

        assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def test_other_bodies_are_limited(pair: Pair, proxy: Nginx) -> None:
    assert ask(proxy, "POST", "/ingest/v1/batch", bytes(16 * MIB)) == 200
    assert ask(proxy, "POST", "/api/v1/x", bytes(16 * MIB)) == 200
    assert ask(proxy, "POST", "/api/v1/x", **{"Content-Length": str(18 * MIB)}) == 413


def test_stream_tells_each_event_at_once(pair: Pair, proxy: Nginx) -> None:
    begun = time.monotonic()
    with asking(proxy, "GET", "/api/projects/p/runs/r/stream") as answer:
        assert answer.readline() == b"data: 1\n"
        assert time.monotonic() - begun < WAIT_S / 2
        pair.go_on.set()
        assert answer.read() == b"\n"


def test_static_file_of_the_other_version_is_found(pair: Pair, proxy: Nginx) -> None:
    pair.status = {"/static/app.1234.js": [404, 200], "/x": [404, 200]}

    assert ask(proxy, "GET", "/static/app.1234.js") == 200
    assert ask(proxy, "GET", "/x") == 404


def test_servers_learn_who_asked_for_what(pair: Pair, proxy: Nginx) -> None:
    said = {"X-Request-ID": "job-7", "X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    ask(proxy, "GET", "/x", Host="runs.example.org:8080", **said)

    wanted = ("Host", "X-Request-ID", "X-Forwarded-For", "X-Forwarded-Proto", "Connection")
    assert {name: pair.headers[name] for name in wanted} == {
        "Host": "runs.example.org:8080",
        "X-Request-ID": "job-7",
        "X-Forwarded-For": "10.1.2.3, 127.0.0.1",
        "X-Forwarded-Proto": "http",
        "Connection": "close",
    }
    ask(proxy, "GET", "/x")
    assert len(pair.headers["X-Request-ID"]) == 32


def test_websocket_is_handed_through(pair: Pair, proxy: Nginx) -> None:
    ask(proxy, "GET", "/ws/1", Upgrade="websocket", Connection="Upgrade")

    assert {name: pair.headers[name] for name in ("Upgrade", "Connection")} == {
        "Upgrade": "websocket",
        "Connection": "upgrade",
    }


def test_long_addresses_and_ids_come_through(pair: Pair, proxy: Nginx) -> None:
    long = "r" * 60_000  # the servers of this test take no more; ours do
    assert ask(proxy, "GET", f"/api/projects/p/runs/metrics?runs={long}") == 200
    assert ask(proxy, "GET", "/x", **{"Last-Event-ID": long}) == 200


def test_figures_are_not_for_the_outside(pair: Pair, proxy: Nginx) -> None:
    assert ask(proxy, "GET", "/metrics") == 404
    assert pair.asked == []
