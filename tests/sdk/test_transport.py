import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from runyard.errors import TransportError
from runyard.transport import Address, HttpTransport, parse_address
from runyard.uploads import Upload

from tests.sdk.door import Answer, Door


@pytest.fixture
def transport(door: Door) -> Iterator[HttpTransport]:
    transport = HttpTransport(parse_address(door.url), timeout_s=5.0)
    yield transport
    transport.close()


def use_answer(door: Door, answer: Answer) -> None:
    door.fault = lambda path: answer


@pytest.mark.parametrize(
    ("url", "address", "base"),
    [
        ("http://h:3142", Address("http", "h", 3142, ""), "http://h:3142"),
        ("http://h:3142/", Address("http", "h", 3142, ""), "http://h:3142"),
        ("http://h:3142/tracker", Address("http", "h", 3142, ""), "http://h:3142"),
        (" http://h:3142/tracker/ ", Address("http", "h", 3142, ""), "http://h:3142"),
        ("https://h/ml/", Address("https", "h", None, "/ml"), "https://h/ml"),
        ("https://h/ml/tracker", Address("https", "h", None, "/ml"), "https://h/ml"),
        ("http://[::1]:8000", Address("http", "::1", 8000, ""), "http://[::1]:8000"),
        ("localhost:3142", Address("http", "localhost", 3142, ""), "http://localhost:3142"),
        ("localhost", Address("http", "localhost", None, ""), "http://localhost"),
        ("127.0.0.1:3142/tracker", Address("http", "127.0.0.1", 3142, ""), "http://127.0.0.1:3142"),
        ("[::1]:8000", Address("http", "::1", 8000, ""), "http://[::1]:8000"),
        ("gpu-box:3142", Address("http", "gpu-box", 3142, ""), "http://gpu-box:3142"),
        (
            "runs.example.org",
            Address("http", "runs.example.org", None, ""),
            "http://runs.example.org",
        ),
    ],
)
def test_addresses_are_understood(url: str, address: Address, base: str) -> None:
    assert parse_address(url) == address
    assert address.url == base


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mlruns", "must look like http://host:port"),
        ("./data", "must look like"),
        ("user:secret@h", "must look like"),
        ("ftp://h", "must look like"),
        ("http://", "must look like"),
        ("http://u:p@h", "RUNYARD_TOKEN"),
        ("http://h:port", "[Pp]ort"),
    ],
)
def test_other_addresses_are_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_address(url)


def test_answer_is_handed_over_as_it_is(door: Door, transport: HttpTransport) -> None:
    use_answer(door, Answer(503, {"detail": "x"}, {"Retry-After": "3"}))

    answer = transport.post("/ingest/v1/batch", b"abc", {"Content-Type": "text/x"})

    path, headers = door.requests[0]
    assert (answer.status, answer.json(), answer.headers["retry-after"]) == (
        503,
        {"detail": "x"},
        "3",
    )
    assert path == "/ingest/v1/batch"
    assert (headers["content-type"], headers["content-length"]) == ("text/x", "3")
    assert "authorization" not in headers


def test_prefix_of_a_reverse_proxy_is_kept(door: Door) -> None:
    transport = HttpTransport(parse_address(f"{door.url}/ml/tracker"))
    use_answer(door, Answer(200))

    transport.post("/ingest/v1/batch", b"", {})
    transport.close()

    assert door.requests[0][0] == "/ml/ingest/v1/batch"


def test_connection_is_used_again_and_renewed_when_the_server_closed_it(
    door: Door, transport: HttpTransport
) -> None:
    use_answer(door, Answer(200))
    transport.post("/", b"1", {})
    first = transport._connection
    assert first
    socket_before = first.sock
    transport.post("/", b"2", {})
    assert first.sock is socket_before

    first.sock.shutdown(socket.SHUT_RDWR)
    answer = transport.post("/", b"3", {})

    assert answer.status == 200
    assert len(door.requests) == 3


def test_silence_becomes_a_transport_error(door: Door) -> None:
    door.fault = lambda path: "hang"
    transport = HttpTransport(parse_address(door.url), timeout_s=0.2)

    with pytest.raises(TransportError, match="timed out"):
        transport.post("/", b"", {})

    assert len(door.requests) == 1
    transport.close()


def test_refused_connection_becomes_a_transport_error() -> None:
    with pytest.raises(TransportError, match="ConnectionRefusedError"):
        HttpTransport(parse_address("http://127.0.0.1:1")).post("/", b"", {})


def test_lost_reply_is_not_repeated_behind_the_senders_back(door: Door) -> None:
    door.fault = lambda path: "lose the reply"
    transport = HttpTransport(parse_address(door.url))

    with pytest.raises(TransportError, match="RemoteDisconnected"):
        transport.post("/elsewhere", b"", {})

    assert len(door.requests) == 1


def test_redirect_is_not_followed(door: Door, transport: HttpTransport) -> None:
    use_answer(door, Answer(307, headers={"Location": f"{door.url}/other"}))

    answer = transport.post("/", b"", {})

    assert (answer.status, answer.headers["location"]) == (307, f"{door.url}/other")
    assert len(door.requests) == 1


def test_token_is_read_anew_and_stays_with_its_server(
    door: Door, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_answer(door, Answer(200))
    for url, token in (("", "one"), (f"{door.url}/tracker", "two"), ("http://other", "three")):
        monkeypatch.setenv("RUNYARD_URL", url)
        monkeypatch.setenv("RUNYARD_TOKEN", token)
        transport.post("/", b"", {})

    assert [headers.get("authorization") for _, headers in door.requests] == [
        "Bearer one",
        "Bearer two",
        None,
    ]


def test_answer_of_a_server_that_stops_listening_is_read(tmp_path: Path) -> None:
    """A limit is exceeded: it answers at once and closes, while the rest is still on its way."""
    file = tmp_path / "large"
    file.write_bytes(bytes(20_000_000))
    upload = Upload(file, {"name": "large"})
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=refuse_early, args=(listener,))
    thread.start()

    port = listener.getsockname()[1]
    answer = HttpTransport(parse_address(f"http://127.0.0.1:{port}")).post("/", upload, {})

    thread.join(10)
    assert (answer.status, answer.json()) == (413, {"detail": "no"})


def refuse_early(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with listener, connection:
        connection.recv(1000)
        connection.sendall(b'HTTP/1.1 413 No\r\nContent-Length: 16\r\n\r\n{"detail": "no"}')
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        for _ in range(3):
            connection.recv(1000)


def test_garbage_becomes_a_transport_error() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=talk_nonsense, args=(listener,))
    thread.start()

    port = listener.getsockname()[1]
    with pytest.raises(TransportError, match="BadStatusLine"):
        HttpTransport(parse_address(f"http://127.0.0.1:{port}")).post("/", b"", {})

    thread.join(10)


def talk_nonsense(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with listener, connection:
        connection.recv(1000)
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")
