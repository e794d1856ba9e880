"""Acknowledged points over kill -9 of the server: plain senders at the batch door."""

import json
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from uuid import uuid4

import msgpack
import numpy as np

from tests.chaos.findings import Finding
from tests.chaos.points import Tally, read_points, values
from tests.chaos.stage import LIMIT_S, Stage

PROJECT = "ingest"
SENDERS, METRICS, ROWS = 4, 10, 100  # rows in a batch: 1,000 points
PAUSE_S = 0.4  # of each sender between batches: 10,000 points a second in all


class Sender(threading.Thread):
    """Sends a batch until it is acknowledged, then the next one, until told to stop."""

    def __init__(self, number: int, port: int, pause_s: float, *, run_uid: str = "") -> None:
        """With `run_uid` it is one of many that write to that run; else it has one of its own."""
        super().__init__(daemon=True)
        self.run_key = "shared" if run_uid else f"sender-{number}"
        self.metrics = range(number * METRICS, (number + 1) * METRICS)
        self.producer = str(uuid4())
        self._run_uid = run_uid or self.producer
        self.acked_rows = 0
        self.is_waiting = False  # for an answer
        self.taken_back = 0  # acknowledged records that the server asks for again
        self.refused = 0  # with "come again"
        self.reasons: set[str] = set()
        self.error = ""
        self.stop = threading.Event()
        self._port = port
        self._pause_s = pause_s
        self._is_started = False

    def run(self) -> None:
        while not self.error and not (self.stop.is_set() and self._is_started):
            if not self._is_started:
                self._is_started = self._send(1, 1, {"events": [[1, "start", {}]]}) is not None
            else:
                self._send_rows()
            time.sleep(self._pause_s)

    def _send_rows(self) -> None:
        """Again and again, as a client does that has had no answer."""
        steps = np.arange(self.acked_rows, self.acked_rows + ROWS)
        first_seq = self.acked_rows + 2
        columns = {
            "keys": [f"m{metric}" for metric in self.metrics],
            "n": [ROWS] * METRICS,
            "s": np.tile(steps, METRICS).astype("<i8").tobytes(),
            "v": b"".join(values(metric, steps.tolist()).tobytes() for metric in self.metrics),
            "t": np.full(ROWS * METRICS, time.time_ns() // 1000, "<i8").tobytes(),
            "q": np.tile(np.arange(ROWS), METRICS).astype("<u4").tobytes(),
            "events": [],
        }
        end = time.monotonic() + LIMIT_S
        while not self.error and self._send(first_seq, first_seq + ROWS - 1, columns) is None:
            if time.monotonic() > end:
                self.error = "no answer came"
            time.sleep(0.02)

    def _send(self, first_seq: int, last_seq: int, content: dict[str, Any]) -> int | None:
        """The number acknowledged; None without an answer."""
        head = {"format": 1, "project": PROJECT, "run": {"uid": self._run_uid, "key": self.run_key}}
        span = {"producer": self.producer, "first_seq": first_seq, "last_seq": last_seq}
        connection = HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        self.is_waiting = True
        try:
            headers = {"Content-Type": "application/x-msgpack"}
            body = msgpack.packb({**head, **span, **content})
            connection.request("POST", "/ingest/v1/batch", body, headers)
            answer = connection.getresponse()
            return self._note(answer.status, answer.read(), last_seq)
        except (OSError, HTTPException):
            return None
        finally:
            self.is_waiting = False
            connection.close()

    def _note(self, status: int, body: bytes, last_seq: int) -> int | None:
        if status == 503:
            self.refused += 1
            self.reasons.add(json.loads(body)["detail"])
            return None
        words = json.loads(body)
        if status == 409:
            self.taken_back += 1
        if status != 200 or words["acked_seq"] != last_seq:
            self.error = f"{status} {words}"
            return None
        self.acked_rows = last_seq - 1
        return last_seq


def run(stage: Stage) -> Finding:
    kills = stage.choose(3, 50)
    senders = [Sender(n, stage.server.port, PAUSE_S) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    caught = 0
    for _ in range(kills):
        stage.pause(0.3, 1.0)
        wait_for_batch(senders)
        stage.pause(0, 0.005)
        caught += any(one.is_waiting for one in senders)
        stage.server.kill()
        stage.server.start()
    end(senders)
    return _count(stage, senders, f"{kills} kills, {caught} while a batch was under way")


def wait_for_batch(senders: list[Sender]) -> None:
    """Until one has been sent and not yet answered: that is when a kill hurts most."""
    end = time.monotonic() + LIMIT_S
    while not any(one.is_waiting for one in senders) and time.monotonic() < end:
        time.sleep(0.0005)


def _count(stage: Stage, senders: list[Sender], detail: str) -> Finding:
    tally, faults = count_acknowledged(stage, senders)
    return Finding(
        "acknowledged points over kill -9 of the server during ingest",
        faults,
        tally.count,
        "acknowledged points",
        "; ".join([detail, *(one.error for one in senders if one.error)]),
    )


def count_acknowledged(stage: Stage, senders: list[Sender]) -> tuple[Tally, dict[str, int]]:
    """Whether the store holds what each sender was told it does, and nothing else."""
    tally, points = Tally(), read_points(stage.store, PROJECT)
    for sender in senders:
        for metric in sender.metrics:
            tally.add(points.get((sender.run_key, f"m{metric}")), metric, sender.acked_rows)
    return tally, {
        **tally.faults,
        "taken back": sum(sender.taken_back for sender in senders),
        "errors": sum(bool(sender.error) for sender in senders),
        "store faults": stage.store_faults(),
    }


def end(senders: list[Sender]) -> None:
    for sender in senders:
        sender.stop.set()
    for sender in senders:
        sender.join(LIMIT_S)
