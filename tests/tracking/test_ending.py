"""A server that is told to stop, as its clients see it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from tests.e2e.live import free_port, wait_until
from tests.sockets import open_socket, read_close_code

TIMEOUT_S = 20


class Server:
    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.tracking.served", str(self.port)]
        self.process = subprocess.Popen(command)
        wait_until(self.answers, TIMEOUT_S, "the server answers")

    def answers(self) -> bool:
        with suppress(OSError), closing(self.connect()) as connection:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        return False

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def code(self) -> int:
        return self.process.wait(TIMEOUT_S)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.process.kill()
    server.process.wait(TIMEOUT_S)


def test_what_was_asked_is_answered_and_the_connection_ends(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/late?0.8")
        time.sleep(0.3)
        server.stop()
        answer = connection.getresponse()

        assert (answer.status, answer.read(), answer.getheader("Connection")) == (
            200,
            b"late",
            "close",
        )
    assert server.code() == 0


def test_nobody_gets_in_any_more(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/late?1")
        time.sleep(0.3)
        server.stop()

        wait_until(lambda: not server.answers(), TIMEOUT_S, "it takes no connection")
        assert connection.getresponse().read() == b"late"
    assert server.code() == 0


def test_connection_on_which_nothing_is_asked_does_not_hold_it_up(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"0"
        began = time.monotonic()
        server.stop()

        assert server.code() == 0
        assert time.monotonic() - began < 10


def test_stream_comes_to_its_end(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.readline() == b": here\n"
        server.stop()

        assert answer.read() == b"\n"  # whole, or it would raise IncompleteRead
    assert server.code() == 0


def test_socket_is_told_of_a_restart(server):
    with open_socket(server.port, "/") as socket:
        server.stop()

        assert read_close_code(socket) == 1012
    assert server.code() == 0


def test_what_takes_too_long_is_cut(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/late?60")
        time.sleep(0.3)
        server.stop()

        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    assert server.code() == 0
