"""Two hundred watchers of one run, beside a single one; their processes share the machine's cores."""

import asyncio
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from tests.bench.http import bench_process, request, send, wire
from tests.bench.measure import Figure, cpu_seconds, memory_mb
from tracking.domain.batch import Batch, Points
from tracking.points import Columns

WATCHERS, PROCESSES = 200, 2
METRICS, RATE, SECONDS = 4, 250, 20  # steps a second
PER_BATCH = 50  # what the SDK sends at once at that rate
STEPS = RATE * SECONDS
PRODUCER = uuid.uuid4()
SETTLE_S = 5  # streams notice at once that a watcher left; the server reaps them once a second


@dataclass(frozen=True, slots=True)
class Watched:
    """Milliseconds from when a batch is due to each of its steps at each watcher; NaN: never came."""

    latencies_ms: np.ndarray
    cpu_share: float
    before_mb: float
    peak_mb: float
    after_mb: float

    def quantile(self, share: float) -> float:
        return float(np.nanquantile(self.latencies_ms, share))

    @property
    def seen(self) -> float:
        return float(1 - np.isnan(self.latencies_ms).mean())


def batch_of(first_step: int) -> Batch:
    steps = np.tile(np.arange(first_step, first_step + PER_BATCH), METRICS)
    times = np.full(len(steps), time.time_ns() // 1000)
    values = np.random.default_rng(first_step).normal(size=len(steps))
    names = [f"m{n}" for n in range(METRICS)]
    offsets = np.tile(np.arange(PER_BATCH, dtype=np.uint32), METRICS)
    points = Points(names, np.full(METRICS, PER_BATCH), Columns(steps, values, times), offsets)
    first = first_step + 2
    return Batch(
        project="watched", run_key="run", run_uid=PRODUCER, producer=PRODUCER,
        first_seq=first, last_seq=first + PER_BATCH - 1, points=points,
    )  # fmt: skip


def start_run(port: int) -> None:
    empty = batch_of(0)
    begin = Batch(
        project="watched", run_key="run", run_uid=PRODUCER, producer=PRODUCER,
        first_seq=1, last_seq=1, points=empty.points.after(10**6),
    )  # fmt: skip
    body = wire(begin, events=[[1, "start", {}]])
    asyncio.run(send(port, [request("/ingest/v1/batch", body)]))


def log_steps(port: int, steps: range) -> np.ndarray:
    """When each step was due, at RATE: a server that does not keep up is not spared."""
    firsts = range(steps.start, steps.stop, PER_BATCH)
    due = time.time() + np.arange(len(firsts)) * PER_BATCH / RATE
    for first, moment in zip(firsts, due, strict=True):
        time.sleep(max(0.0, moment - time.time()))
        asyncio.run(send(port, [request("/ingest/v1/batch", wire(batch_of(first)))]))
    return np.repeat(due, PER_BATCH)


@contextmanager
def watchers(port: int, count: int, steps: range, out: str) -> Iterator[IO[str]]:
    arguments = map(str, (port, count, steps.start, steps.stop, out))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.watcher", *arguments],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("The watchers could not open their streams.")
        yield process.stdout
    finally:
        process.communicate("\n")


def measure(port: int, pid: int, counts: list[int], steps: range) -> Watched:
    """Of one process for each of `counts`, with so many watchers each."""
    before = memory_mb(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM, the peak, counts from now on
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        outs = [f"{folder}/{n}.npy" for n in range(len(counts))]
        crowds = [
            stack.enter_context(watchers(port, count, steps, out))
            for count, out in zip(counts, outs, strict=True)
        ]
        start, cpu = time.monotonic(), cpu_seconds(pid)
        due = log_steps(port, steps)
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - start)
        for crowd in crowds:
            crowd.readline()
        arrived = np.concatenate([np.load(out) for out in outs])
    peak = memory_mb(pid, "VmHWM")
    time.sleep(SETTLE_S)
    return Watched((arrived - due) * 1e3, share, before, peak, memory_mb(pid, "VmRSS"))


def figures() -> list[Figure]:
    with bench_process() as (port, pid):
        start_run(port)
        measure(port, pid, [1], range(STEPS // 4))  # whatever is loaded once is loaded now
        one = measure(port, pid, [1], range(STEPS // 4, STEPS // 2))
        many = measure(
            port, pid, [WATCHERS // PROCESSES] * PROCESSES, range(STEPS // 2, STEPS // 2 + STEPS)
        )
    n, alone = many.latencies_ms.size * METRICS, "1 watcher"
    name = f"{WATCHERS} watchers, {METRICS} metrics × {RATE} steps/s"
    return [
        Figure(f"{name}: share seen", many.seen, "of all points", alone, one.seen, "= 1", n),
        *(
            Figure(f"  batch due to frame there, p{share * 100:.0f}", many.quantile(share), "ms", alone, one.quantile(share), "≤ 500 ms" if share == 0.95 else "", n)
            for share in (0.5, 0.95, 0.99)
        ),
        Figure("  CPU of the server", many.cpu_share * 100, "% of a core", alone, one.cpu_share * 100, "", n),
        Figure("  memory while they watch, peak", many.peak_mb, "MB", "before", many.before_mb, "", n),
        Figure(f"  memory {SETTLE_S} s after they left", many.after_mb, "MB", "before", many.before_mb, "≤ 1.1", n),
    ]  # fmt: skip
