"""Ingest on PostgreSQL beside a bare COPY, one server process and two; charts beside SQLite's.

The database is one of its own, as it comes from the box. Who writes to it are processes of their
own too: tests.bench.on_postgres.
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from itertools import count

import numpy as np
import psycopg

from tests.bench.charts import MAX_POINTS, fill
from tests.bench.ingest import BATCHES, METRICS, POINTS, SENDERS
from tests.bench.measure import Figure, best_of
from tests.services.postgres import Postgres, database, postgres
from tracking.domain.series import Window, read_series

ROUNDS = 3
RUNS, RUN_POINTS = 100, 10_000
COPY = "COPY point (run, metric, step, value, time_us) FROM STDIN (FORMAT binary)"
TABLE = "CREATE TABLE point (run bigint, metric bigint, step bigint, value float8, time_us bigint)"
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
# Of a row in the binary form: how many fields there are, then each behind its length.
ROW = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name in ("run", "metric", "step", "value", "time_us")
        for part in ((f"{name}_size", ">i4"), (name, ">f8" if name == "value" else ">i8"))
    ]
)
_numbers = count()


def start(url: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.on_postgres", *map(str, words)],
        env=os.environ | {"DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("The process on PostgreSQL said nothing.")
    return line


def ask(url: str, *words: object) -> float:
    with start(url, *words) as process:
        return float(hear(process))


def ingest(url: str, processes: int, senders: int, batches_each: int) -> float:
    """Points per second of so many processes, from when all begin until the last one ends."""
    with ExitStack() as stack:
        several = [
            stack.enter_context(start(url, "ingest", senders, batches_each))
            for _ in range(processes)
        ]
        for one in several:
            hear(one)
        began = time.perf_counter()
        for one in several:
            assert one.stdin
            one.stdin.write("\n")
            one.stdin.flush()
        total = sum(int(hear(one)) for one in several)
        return total / (time.perf_counter() - began)


def copy_floor(url: str, senders: int, batches_each: int) -> float:
    """Points per second of COPY alone, from bytes that are ready: a row per point, no index."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS point")
        connection.execute(TABLE)
    data = copy_bytes()
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(url)) for _ in range(senders)]

        def run() -> None:
            threads = [
                threading.Thread(target=copy_batches, args=[one, data, batches_each])
                for one in connections
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        return senders * batches_each * POINTS / best_of(1, run)


def copy_bytes() -> bytes:
    """The points of a batch of the ingest benchmark."""
    rows = np.zeros(POINTS, ROW)
    rows["fields"] = 5
    for name in ("run", "metric", "step", "value", "time_us"):
        rows[f"{name}_size"] = 8
    rows["metric"] = np.repeat(np.arange(METRICS), POINTS // METRICS)
    rows["step"] = np.tile(np.arange(POINTS // METRICS), METRICS)
    rows["value"] = np.random.default_rng(1).normal(size=POINTS)
    rows["time_us"] = 1_767_268_800_000_000
    return HEAD + rows.tobytes() + TAIL


def copy_batches(connection: psycopg.Connection, data: bytes, batches: int) -> None:
    for _ in range(batches):
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(data)
        connection.commit()


def read_all(runs: int, points: int) -> float:
    """Seconds to read and draw so many series, which are made and folded first."""
    made = fill(f"read-{next(_numbers)}", runs, 1, points)
    return best_of(5, lambda: read_series(made, Window(max_points=MAX_POINTS)))


def best(measure: partial[float]) -> float:
    return max(measure() for _ in range(ROUNDS))


def figures() -> list[Figure]:
    with postgres() as server:
        return ingest_figures(server) + chart_figures(server)


def ingest_figures(server: Postgres) -> list[Figure]:
    each = BATCHES // 4
    with database(server, "bench") as url:
        ask(url, "migrate")
        floor, floors = (
            best(partial(copy_floor, url, senders, number))
            for senders, number in ((1, BATCHES), (SENDERS, each))
        )
        one = best(partial(ingest, url, 1, 1, BATCHES))
        many, twice = [], []
        for _ in range(ROUNDS):  # in turns: what the machine does besides meets both
            many.append(ingest(url, 1, SENDERS, each))
            twice.append(ingest(url, 2, SENDERS, each))
    copy, single, n = "COPY, a row per point", "one process", SENDERS * each * POINTS
    return [
        Figure("PostgreSQL ingest, 1 sender", one, "points/s", copy, floor, "", BATCHES * POINTS),
        Figure("PostgreSQL ingest, 16 senders", max(many), "points/s", f"{copy}, 16 connections", floors, "", n),
        Figure("PostgreSQL ingest, two processes × 16", max(twice), "points/s", single, max(many), "≥ 1.5", 2 * n),
    ]  # fmt: skip


def chart_figures(server: Postgres) -> list[Figure]:
    with database(server, "charts") as url:
        ask(url, "migrate")
        ours = ask(url, "read", RUNS, RUN_POINTS)
    floor = read_all(RUNS, RUN_POINTS)
    name = f"PostgreSQL, {RUNS} series × {RUN_POINTS:,} points read"
    return [Figure(name, ours * 1e3, "ms", "SQLite", floor * 1e3, "≤ 3", RUNS * RUN_POINTS)]
