"""Watchers of a server that is killed while a run is being logged to it: none misses a point."""

import json
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection, HTTPException

import pytest

from tests.e2e.live import LiveServer, live_server, wait_until

pytestmark = pytest.mark.e2e
STEPS, KILL_AT, WATCHERS = 150, (40, 90), 5
PATIENCE_S = 60


def post(server: LiveServer, path: str, body: dict[str, object]) -> None:
    """Again until the server has taken it: it may be down."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
        headers = {"Content-Type": "application/json"}
        try:
            connection.request("POST", f"/tracker/api/v1{path}", json.dumps(body), headers)
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError(f"{path} was not taken in {PATIENCE_S} s.")


class Watcher(threading.Thread):
    """Reads as a browser does: it comes back with the id of the last event it has had."""

    def __init__(self, server: LiveServer, path: str) -> None:
        super().__init__(daemon=True)
        self.server, self.path = server, path
        self.last_id = ""
        self.steps: set[int] = set()
        self.openings = 0

    def run(self) -> None:
        while len(self.steps) < STEPS:
            try:
                self.read()
            except (OSError, HTTPException):
                time.sleep(0.05)

    def read(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with closing(connection):
            connection.request("GET", self.path, headers=headers)
            with connection.getresponse() as answer:
                self.take(answer)

    def take(self, lines: Iterable[bytes]) -> None:
        event_id, steps = "", set()
        for line in lines:
            self.openings += line.startswith(b"retry:")
            if line.startswith(b"id: "):
                event_id = line[4:].decode().strip()
            elif line.startswith(b"data: ") and b'"step"' in line:
                steps.add(json.loads(line[6:])["step"])
            elif line == b"\n":  # only a whole event counts
                self.last_id = event_id or self.last_id
                self.steps |= steps
                event_id, steps = "", set()
                if len(self.steps) == STEPS:
                    return


def test_watchers_of_a_server_killed_twice_see_every_point() -> None:
    with live_server() as server:
        post(server, "/projects/proj/runs", {"name": "run"})
        paths = ["/api/projects/proj/runs/run/stream", "/api/projects/proj/runs/stream?runs=run,no"]
        watchers = [Watcher(server, paths[number % 2]) for number in range(WATCHERS)]
        for watcher in watchers:
            watcher.start()
        wait_until(lambda: all(one.last_id for one in watchers), PATIENCE_S, "all watch")

        for step in range(STEPS):
            if step in KILL_AT:
                server.restart()
            post(server, "/projects/proj/runs/run/metrics", {"step": step, "metrics": {"loss": 1}})
        for watcher in watchers:
            watcher.join(PATIENCE_S)

    assert [one.steps for one in watchers] == [set(range(STEPS))] * WATCHERS
    assert all(one.openings > 1 for one in watchers)
