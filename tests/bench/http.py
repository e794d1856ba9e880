"""The batch door over HTTP on daphne, beside an empty consumer on the same server."""

import asyncio
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgpack

from tests.bench.ingest import BATCHES, POINTS, make_batches
from tests.bench.measure import Figure
from tracking.domain.batch import Batch

CONNECTIONS = 16
EACH = BATCHES // 4


@contextmanager
def bench_server() -> Iterator[int]:
    """The port of a server process on this benchmark's database."""
    with bench_process() as (port, _):
        yield port


@contextmanager
def bench_process() -> Iterator[tuple[int, int]]:
    """As `bench_server`, with the id of the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.server", str(port)])
    try:
        for _ in range(1_200):  # a minute: others may keep the machine busy
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def wire(batch: Batch, **extra: Any) -> bytes:
    points = batch.points
    assert points.offsets is not None
    return msgpack.packb(
        {
            "format": 1,
            "project": batch.project,
            "run": {"uid": str(batch.run_uid), "key": batch.run_key},
            "producer": str(batch.producer),
            "first_seq": batch.first_seq,
            "last_seq": batch.last_seq,
            "keys": points.names,
            "n": points.counts.tolist(),
            "s": points.columns.steps.tobytes(),
            "v": points.columns.values.tobytes(),
            "t": points.columns.times_us.tobytes(),
            "q": points.offsets.tobytes(),
        }
        | extra
    )


def request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-msgpack\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send(port: int, requests: list[bytes]) -> None:
    """One connection, kept alive; each answer is awaited and must be a 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for one in requests:
        writer.write(one)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


async def requests_per_second(port: int, work: list[list[bytes]]) -> float:
    start = time.perf_counter()
    await asyncio.gather(*(send(port, requests) for requests in work))
    return sum(map(len, work)) / (time.perf_counter() - start)


def door_work(port: int) -> list[list[bytes]]:
    """Batches of CONNECTIONS new runs, each started already."""
    work = []
    for _ in range(CONNECTIONS):
        producer = uuid.uuid4()
        batches = make_batches(producer, f"http-{producer.hex[:8]}", EACH)
        first = Batch(
            project="bench", run_key=batches[0].run_key, run_uid=producer, producer=producer,
            first_seq=1, last_seq=1, points=batches[0].points.after(10**6),
        )  # fmt: skip
        begin = request("/ingest/v1/batch", wire(first, events=[[1, "start", {}]]))
        asyncio.run(send(port, [begin]))
        work.append([request("/ingest/v1/batch", wire(batch)) for batch in batches])
    return work


def figures() -> list[Figure]:
    with bench_server() as port:
        doors, empties = [], []
        for _ in range(3):
            work = door_work(port)
            empty = [[request("/bench/empty", b"x" * 24_000)] * EACH for _ in work]
            empties.append(asyncio.run(requests_per_second(port, empty)))
            doors.append(asyncio.run(requests_per_second(port, work)))
    n = CONNECTIONS * EACH
    ours, floor = max(doors), max(empties)
    return [
        Figure("HTTP batches of 1,000 points, 16 connections", ours, "requests/s", "empty consumer", floor, "≥ 0.15", n),
        Figure("HTTP ingest, points", ours * POINTS, "points/s", "empty consumer × 1,000", floor * POINTS, "≥ 0.15", n * POINTS),
    ]  # fmt: skip
