"""Who looks on while things break: pages, lists, charts and streams, asked for all the time."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse

from tests.chaos.ingest import Sender
from tests.e2e.live import wait_until

LIMIT_S = 60
GLANCE_S = 0.3  # at a stream
PAUSE_S = 0.02
STRANGER = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef; csrftoken=x"}  # is looked up
TOKEN = {"Authorization": "Bearer ry_0123456789abcdef"}  # as well
PAGES = (
    "/",
    "/projects/{}",
    "/projects/{}/runs/{}",
    "/projects/{}/runs/{}/logs",
    "/login",
    "/admin/",
)
DATA = (
    "/api/projects",
    "/api/projects/{}/runs",
    "/api/projects/{}/runs/{}",
    "/api/projects/{}/runs/metrics?runs={}",
    "/api/v1/projects/{}/runs/{}",
    "/projects/",
    "/health",
    "/ready",
    "/metrics",
)
STREAMS = ("/api/projects/{}/runs/stream?runs={}", "/api/projects/{}/runs/{}/stream")
FRAGMENT = {"HX-Request": "true", "HX-Target": "run-table"}
QUESTIONS = [
    *itertools.product(PAGES, ({"Accept": "text/html"}, {"Accept": "text/html"} | STRANGER)),
    *itertools.product(DATA, ({"Accept": "application/json"}, {"Accept": "*/*"} | TOKEN)),
    *itertools.product(STREAMS, ({}, STRANGER, TOKEN)),
    ("/projects/{}", FRAGMENT | STRANGER),
]


class Visitor(threading.Thread):
    """Asks everything in turn. `faults`: what should never be answered, and how often it was."""

    def __init__(self, port: int, project: str, run: str) -> None:
        super().__init__(daemon=True)
        self.answers: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.stop = threading.Event()
        self._port = port
        self._names = project, run

    def run(self) -> None:
        for path, headers in itertools.cycle(QUESTIONS):
            if self.stop.is_set():
                return
            self.ask(path.format(*self._names), headers)
            time.sleep(PAUSE_S)

    def ask(self, path: str, headers: dict[str, str]) -> int:
        """The status; 0 where no answer came, which is a fault: the server was up."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            self._read(connection, answer)
        except (OSError, HTTPException) as error:
            self.faults[f"{type(error).__name__} at {path}"] += 1
            return 0
        finally:
            connection.close()
        self._note(answer, path)
        return answer.status

    def _read(self, connection: HTTPConnection, answer: HTTPResponse) -> None:
        if answer.headers.get_content_type() != "text/event-stream":
            answer.read()
            return
        if connection.sock:
            connection.sock.settimeout(GLANCE_S)
        with suppress(OSError, HTTPException):  # it goes on, or is cut off by what broke
            answer.readline()
            answer.readline()

    def _note(self, answer: HTTPResponse, path: str) -> None:
        self.answers[answer.status] += 1
        is_sorry = answer.status == 503 and (path == "/ready" or "Retry-After" in answer.headers)
        if answer.status >= 500 and not is_sorry:
            self.faults[f"{answer.status} at {path}"] += 1


@contextmanager
def visiting(port: int, project: str, run: str, *, count: int = 2) -> Iterator[list[Visitor]]:
    visitors = [Visitor(port, project, run) for _ in range(count)]
    for one in visitors:
        one.start()
    try:
        yield visitors
    finally:
        for one in visitors:
            one.stop.set()
        for one in visitors:
            one.join(LIMIT_S)


def tell(visitors: list[Visitor]) -> tuple[int, str]:
    """How many answers were faults, and in words: those, and what else was answered."""
    faults, answers = Counter[str](), Counter[int]()
    for one in visitors:
        faults += one.faults
        answers += one.answers
    said = ", ".join(f"{count:,} × {status}" for status, count in sorted(answers.items()))
    wrong = "; ".join(f"{count} × {fault}" for fault, count in faults.most_common(8))
    return faults.total(), f"visitors: {said}" + (f"; {wrong}" if wrong else "")


def wait_for_all(senders: list[Sender], visitor: Visitor) -> float:
    """Seconds until each sender has been acknowledged once more, and a page is shown."""
    began = time.monotonic()
    acked = [one.acked_rows for one in senders]
    wait_until(
        lambda: all(
            one.error or one.acked_rows > rows for one, rows in zip(senders, acked, strict=True)
        ),
        LIMIT_S,
        "batches are acknowledged again",
    )
    wait_until(lambda: visitor.ask("/", {}) == 200, LIMIT_S, "a page is shown again")
    return time.monotonic() - began
