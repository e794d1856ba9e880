"""Durable ingest in process, beside bare blob commits and an ORM row per point."""

import sqlite3
import tempfile
import threading
import uuid
from functools import partial
from pathlib import Path

import numpy as np
from django.db import connection, models, transaction

from tests.bench.measure import Figure, best_of
from tracking.domain import writer
from tracking.domain.access import local_user
from tracking.domain.batch import Batch, Event, Points
from tracking.domain.ingest import record_batch
from tracking.domain.producers import recall_run
from tracking.points import Columns

POINTS, METRICS, BATCHES, SENDERS = 1_000, 50, 200, 16
NAMES = [f"train/metric_{n}" for n in range(METRICS)]


class Row(models.Model):  # noqa: DJ008 -- nobody prints it
    """What most trackers store: a row per point."""

    run = models.IntegerField()
    name = models.CharField(max_length=250)
    step = models.BigIntegerField()
    value = models.FloatField()
    time_us = models.BigIntegerField()

    class Meta:
        app_label = "tracking"
        indexes = [models.Index(fields=["run", "name", "step"], name="bench_row")]


def make_batches(producer: uuid.UUID, key: str, count: int) -> list[Batch]:
    rng = np.random.default_rng(1)
    per_metric = POINTS // METRICS
    batches = []
    for number in range(count):
        steps = np.tile(np.arange(per_metric) + number * per_metric, METRICS)
        columns = Columns(steps, rng.normal(size=POINTS), steps * 1_000_000)
        seq = number * per_metric + 2
        offsets = np.tile(np.arange(per_metric, dtype=np.uint32), METRICS)
        points = Points(NAMES, np.full(METRICS, per_metric), columns, offsets)
        batches.append(
            Batch(
                project="bench", run_key=key, run_uid=producer, producer=producer,
                first_seq=seq, last_seq=seq + per_metric - 1, points=points,
            )
        )  # fmt: skip
    return batches


def start(producer: uuid.UUID, key: str) -> None:
    submit(
        Batch(
            project="bench", run_key=key, run_uid=producer, producer=producer, first_seq=1,
            last_seq=1, points=Points.none(), events=(Event(1, "start", {}),),
        )
    )  # fmt: skip


def submit(batch: Batch) -> None:
    work = partial(record_batch, batch, user=local_user())
    writer.submit(work, run_id=recall_run(batch.producer)).result()


def prepare(senders: int, batches_each: int) -> list[list[Batch]]:
    """The batches of so many senders, whose runs have begun."""
    work = []
    for _ in range(senders):
        producer = uuid.uuid4()
        start(producer, f"run-{producer.hex[:8]}")
        work.append(make_batches(producer, f"run-{producer.hex[:8]}", batches_each))
    return work


def send(work: list[list[Batch]]) -> None:
    """Each sender in a thread, waiting for its acknowledgements."""

    def send_in_turn(batches: list[Batch]) -> None:
        for batch in batches:
            submit(batch)

    threads = [threading.Thread(target=send_in_turn, args=[batches]) for batches in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_all(senders: int, batches_each: int) -> float:
    """Points per second of `senders` threads."""
    work = prepare(senders, batches_each)
    return senders * batches_each * POINTS / best_of(1, lambda: send(work))


def blob_floor() -> float:
    """Points per second of the sqlite3 module alone: one blob of 24 KB per durable commit."""
    with tempfile.TemporaryDirectory(dir=Path(connection.settings_dict["NAME"]).parent) as folder:
        db = sqlite3.connect(Path(folder) / "floor.sqlite3", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)")
        blob = np.random.default_rng(1).bytes(24 * POINTS)

        def run() -> None:
            for _ in range(BATCHES):
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO blobs (data) VALUES (?)", [blob])
                db.execute("COMMIT")

        seconds = best_of(3, run)
        db.close()
    return BATCHES * POINTS / seconds


def row_per_point() -> float:
    """Points per second of bulk_create, a row per point."""
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    values = np.random.default_rng(1).normal(size=POINTS).tolist()

    def run() -> None:
        rows = [
            Row(run=1, name=NAMES[i % METRICS], step=i, value=v, time_us=i)
            for i, v in enumerate(values)
        ]
        with transaction.atomic():
            Row.objects.bulk_create(rows)

    seconds = best_of(5, run)
    with connection.schema_editor() as editor:
        editor.delete_model(Row)
    return POINTS / seconds


def figures() -> list[Figure]:
    floor, rows = blob_floor(), row_per_point()
    one = max(send_all(1, BATCHES) for _ in range(3))
    many = max(send_all(SENDERS, BATCHES // 4) for _ in range(3))
    blobs = "sqlite3 blob commits"
    return [
        Figure("in-process ingest, 1 sender", one, "points/s", blobs, floor, "≥ 0.12", BATCHES * POINTS),
        Figure("in-process ingest, 16 senders", many, "points/s", blobs, floor, "≥ 0.25", SENDERS * BATCHES // 4 * POINTS),
        Figure("in-process ingest against rows", one, "points/s", "ORM row per point", rows, "≥ 10", BATCHES * POINTS),
    ]  # fmt: skip
