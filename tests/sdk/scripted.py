"""A transport without a network: a door in the same process, and a script of what it says instead."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
from runyard.sender import Sender
from runyard.transport import Body, Response

from tests.sdk.door import Answer, Door

Reply = Answer | Exception | None  # None: what the door says


class ScriptedTransport:
    """`script` holds what comes instead of the next answers, `refuse` what comes of some batches."""

    def __init__(self) -> None:
        self.door = Door()
        self.script: list[Reply] = []
        self.refuse: Callable[[dict[str, Any]], Reply] = lambda batch: None
        self.batches: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def post(self, path: str, body: bytes | Body, headers: Mapping[str, str]) -> Response:
        data = body if isinstance(body, bytes) else b"".join(body)
        batch = msgpack.unpackb(data) if isinstance(body, bytes) else {}
        self.paths.append(path)
        self.batches.append(batch)
        reply = (self.script.pop(0) if self.script else None) or self.refuse(batch)
        if isinstance(reply, Exception):
            raise reply
        answer = reply or self.door.take(path, data)
        return Response(answer.status, json.dumps(answer.words).encode(), answer.headers)

    def close(self) -> None:
        pass

    @property
    def spans(self) -> list[tuple[int, int]]:
        return [(batch["first_seq"], batch["last_seq"]) for batch in self.batches]


def run_to_end(sender: Sender) -> list[float]:
    """The pauses between the steps that were needed."""
    sender.spool.close()
    pauses = []
    while not sender.is_done and not sender.stopped:
        pauses.append(sender.step())
        assert len(pauses) < 1_000, "it goes round in circles"
    return pauses


def received(transport: ScriptedTransport) -> list[tuple[int, float]]:
    return transport.door.values("r", "loss")


def rows(count: int) -> list[tuple[int, float]]:
    return [(step, float(step)) for step in range(count)]


def gaps(transport: ScriptedTransport) -> list[dict[str, Any]]:
    return transport.door.payloads("r", "gap")
