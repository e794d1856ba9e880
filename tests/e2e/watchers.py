"""Watchers of runs, in threads: they come back when a stream ends, and note when they saw a step."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.sockets import CLOSE, PING, TEXT, answer_ping, open_socket, read_frame

PAUSE_S = 0.2  # browsers wait longer; that would only make the test slower


class Watcher:
    """`seen`: when each step of the metric came for the first time."""

    def __init__(self, port: int, path: str, *, metric: str = "loss") -> None:
        self.port, self.path, self.metric = port, path, metric
        self.seen: dict[int, float] = {}
        self.is_over = threading.Event()
        self.is_there = threading.Event()

    def watch(self) -> None:
        while not self.is_over.is_set():
            with suppress(OSError, HTTPException, AssertionError):  # it comes back
                self.read()
            self.is_over.wait(PAUSE_S)

    def read(self) -> None:
        raise NotImplementedError

    def note(self, metrics: dict[str, Any], step: int) -> None:
        if self.metric in metrics:
            self.seen.setdefault(step, time.monotonic())


class StreamWatcher(Watcher):
    """Of server-sent events, with the cursor of the last one."""

    last_id = ""

    def read(self) -> None:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", self.path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200
            for line in answer:
                if self.is_over.is_set():
                    return
                self.is_there.set()
                name, _, text = line.decode().strip().partition(": ")
                if name == "id":
                    self.last_id = text
                elif name == "data" and "step" in (data := json.loads(text)):
                    self.note(data["metrics"], data["step"])


class SocketWatcher(Watcher):
    """Of a WebSocket; `since` the beginning, for it has no cursor."""

    def read(self) -> None:
        with open_socket(self.port, self.path) as one:
            one.settimeout(30)
            self.is_there.set()
            while not self.is_over.is_set():
                kind, said = read_frame(one)
                if kind == CLOSE:
                    return
                if kind == PING:
                    answer_ping(one, said)
                data = json.loads(said) if kind == TEXT else {}
                if data.get("type") == "metric":
                    self.note({data["name"]: data["value"]}, data["step"])


@contextmanager
def watching(*watchers: Watcher) -> Iterator[None]:
    threads = [threading.Thread(target=one.watch, daemon=True) for one in watchers]
    for thread in threads:
        thread.start()
    try:
        for one in watchers:
            assert one.is_there.wait(30), one.path
        yield
    finally:
        for one in watchers:
            one.is_over.set()
