"""A batch door in miniature, strict about docs/ingest.md, which can be told to misbehave.

It runs in a thread of the test, so that jobs in other processes can be cut off from it at will.
"""

import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgpack


class Answer(NamedTuple):
    status: int
    words: dict[str, Any] = {}
    headers: dict[str, str] = {}


# "hang", "hang up" (both: nothing is stored), "lose the reply" (after it was stored).
Fault = Callable[[str], Answer | str | None]  # of a path: an answer, or how not to answer


class Door:
    """What a server would have stored. `points`: (producer, seq, metric, step, value) of each run."""

    def __init__(self) -> None:
        self.url = ""
        self.fault: Fault = lambda path: None
        self.lock = threading.Lock()
        self.watermarks: dict[str, int] = defaultdict(int)
        self.runs: dict[str, dict[str, Any]] = {}  # by key
        self.run_of: dict[str, str] = {}  # producer → run key
        self.points: dict[str, list[tuple[str, int, str, int, float]]] = defaultdict(list)
        self.events: dict[str, list[tuple[str, int, str, dict[str, Any]]]] = defaultdict(list)
        self.uploads: list[tuple[str, bytes]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.next_step = 0

    def values(self, run: str, metric: str) -> list[tuple[int, float]]:
        """(step, value) of a metric in the order of arrival."""
        return [(step, value) for _, _, name, step, value in self.points[run] if name == metric]

    def payloads(self, run: str, kind: str) -> list[dict[str, Any]]:
        return [payload for _, _, name, payload in self.events[run] if name == kind]

    def status(self, run: str) -> str:
        finishes = self.payloads(run, "finish")
        return finishes[-1]["status"] if finishes else "running"

    def take(self, path: str, body: bytes) -> Answer:
        if path.endswith("/artifacts"):
            self.uploads.append((path, body))
            return Answer(200, {"artifact_name": "x", "file_size": 1})
        if path.endswith("/files"):
            self.uploads.append((path, body))
            return Answer(200, {"id": "7"})
        if path != "/ingest/v1/batch":
            return Answer(404, {"detail": "Not found."})
        return self.take_batch(msgpack.unpackb(body))

    def take_batch(self, batch: dict[str, Any]) -> Answer:
        producer, first, last = batch["producer"], batch["first_seq"], batch["last_seq"]
        assert batch["format"] == 1
        if first > self.watermarks[producer] + 1:
            expected = self.watermarks[producer] + 1
            return Answer(409, {"detail": "rewind", "expected_seq": expected})
        if producer not in self.run_of:
            refusal = self.start(batch)
            if refusal:
                return refusal
        key = self.run_of[producer]
        self.store(batch, key)
        self.watermarks[producer] = max(self.watermarks[producer], last)
        words: dict[str, Any] = {"acked_seq": self.watermarks[producer]}
        if any(kind == "start" for _, kind, _ in batch["events"]):
            run = {name: self.runs[key][name] for name in ("uid", "key", "created")}
            words["run"] = run | {"next_step": self.next_step, "path": f"/projects/p/runs/{key}"}
        return Answer(200, words)

    def start(self, batch: dict[str, Any]) -> Answer | None:
        seq, kind, payload = batch["events"][0]
        assert (seq, kind) == (1, "start")
        key, uid = batch["run"]["key"], batch["run"]["uid"]
        joined = next((known for known, run in self.runs.items() if run["uid"] == uid), None)
        taken = key in self.runs and not payload.get("resume")
        if joined is None and taken:
            if batch["if_taken"] == "refuse":
                return Answer(409, {"detail": "Run already exists", "code": "run_exists"})
            key = f"{key}-2"
        key = joined or key
        created = key not in self.runs
        self.runs.setdefault(key, {"uid": uid, "key": key, "project": batch["project"]})
        self.runs[key]["created"] = created
        self.run_of[batch["producer"]] = key
        return None

    def store(self, batch: dict[str, Any], key: str) -> None:
        producer, first = batch["producer"], batch["first_seq"]
        known = self.watermarks[producer]
        total = sum(batch["n"])
        columns = [
            struct.unpack(f"<{total}{code}", batch[name])
            for name, code in zip("svq", "qdI", strict=True)
        ]
        names = [name for name, n in zip(batch["keys"], batch["n"], strict=True) for _ in range(n)]
        assert len(batch["t"]) == 8 * total
        for name, step, value, offset in zip(names, *columns, strict=True):
            assert first + offset <= batch["last_seq"]
            if first + offset > known:
                self.points[key].append((producer, first + offset, name, step, value))
        for seq, kind, payload in batch["events"]:
            assert first <= seq <= batch["last_seq"]
            if seq > known:
                self.events[key].append((producer, seq, kind, payload))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    door: Door

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.door.lock:
            self.door.requests.append((self.path, headers))
            answer = self.door.fault(self.path)
        if answer == "hang up":
            self.close_connection = True
            return
        self.answer(answer if isinstance(answer, Answer) else Answer(404))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.door.lock:
            self.door.requests.append((self.path, headers))
            fault = self.door.fault(self.path)
            answer = fault if isinstance(fault, Answer) else None
            if answer is None and fault not in {"hang", "hang up"}:
                answer = self.door.take(self.path, body)
        if fault == "hang":
            self.wait_for_hangup()
        if answer is None or fault == "lose the reply":
            self.close_connection = True
            return
        self.answer(answer)

    def wait_for_hangup(self) -> None:
        """Say nothing until the client is tired of it, or the test is over."""
        self.connection.settimeout(30)
        with suppress(OSError):
            self.rfile.read(1)

    def answer(self, answer: Answer) -> None:
        body = json.dumps(answer.words).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed: that is what these tests do."""


@contextmanager
def open_door(door: Door | None = None, port: int = 0) -> Iterator[Door]:
    door = door or Door()
    handler = type("BoundHandler", (Handler,), {"door": door})
    server = Server(("127.0.0.1", port), handler)
    door.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def wait_until(condition: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """The first true answer; fails when there is none in time."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {timeout_s} s in vain"
        time.sleep(0.02)
    return found
