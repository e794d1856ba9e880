"""Rows for tests, made the way the server makes them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from tracking.domain.access import local_user
from tracking.domain.batch import Batch, Event, Points
from tracking.domain.ingest import Ack, record_batch
from tracking.domain.projects import open_project
from tracking.domain.rows import LoggedRow, append_rows
from tracking.domain.runs import RunStart, start_run
from tracking.models import Artifact, LogLine, Run
from tracking.points import Columns

NOON_US = 1_767_268_800_000_000  # 2026-01-01 12:00 UTC


def make_run(key: str = "run-1", project: str = "proj", **fields: Any) -> Run:
    """A started run; `fields` are those of RunStart."""
    with transaction.atomic():
        opened = open_project(project, user=local_user())
        run, _ = start_run(opened, RunStart(key=key, **fields), user=local_user())
    return run


def make_points(
    series: dict[str, Sequence[float]], *, first_step: int = 0, steps: Sequence[int] | None = None
) -> Points:
    """Points of several metrics, a second apart; every metric starts at `first_step`."""
    counts = [len(values) for values in series.values()]
    places = np.concatenate([np.arange(count) for count in counts])
    columns = Columns(
        np.tile(np.array(steps), len(series)) if steps is not None else places + first_step,
        np.concatenate([np.asarray(values, np.float64) for values in series.values()]),
        NOON_US + (places + first_step) * 1_000_000,
    )
    return Points(list(series), np.array(counts), columns, places.astype(np.uint32))


def log_points(run: Run, series: dict[str, Sequence[float]], **options: Any) -> None:
    """Points straight into a run, in a commit of their own."""
    with transaction.atomic():
        record_batch(Batch(run_id=run.pk, points=make_points(series, **options)), user=local_user())


def make_batch(first_seq: int, last_seq: int, **fields: Any) -> Batch:
    defaults: dict[str, Any] = {
        "project": "proj",
        "run_uid": uuid.UUID(int=1),
        "run_key": "run-1",
        "producer": uuid.UUID(int=2),
        "points": Points.none(),
    }
    return Batch(first_seq=first_seq, last_seq=last_seq, **(defaults | fields))


def start_event(**payload: Any) -> tuple[Event, ...]:
    return (Event(1, "start", payload),)


def take_in(batch: Batch) -> Ack:
    """`record_batch` in a transaction, inline."""
    with transaction.atomic():
        return record_batch(batch, user=local_user())


def keep_file(run: Run, name: str, content: bytes, **fields: Any) -> Artifact:
    """A stored file, also under a name that no door would take."""
    defaults: dict[str, Any] = {
        "category": "model",
        "description": "the best one",
        "size_bytes": len(content),
        "sha256": "ab12" * 16,
        "content_type": "text/html",
        "storage_key": default_storage.save(f"00/{uuid.uuid4().hex}", ContentFile(content)),
    }
    return Artifact.objects.create(run=run, name=name, **(defaults | fields))


def log_lines(run: Run, *messages: str, level: str = "info", first_seq: int | None = None) -> None:
    """Log lines a second apart."""
    first = run.log_lines.count() if first_seq is None else first_seq
    LogLine.objects.bulk_create(
        LogLine(
            run=run,
            seq=first + place,
            time=datetime.fromtimestamp(NOON_US / 1e6 + first + place, tz=UTC),
            level=level,
            message=message,
        )
        for place, message in enumerate(messages)
    )


def log_rows(run: Run, *rows: dict[str, Any], stream: str = "train") -> None:
    """Rows of a stream, a second apart."""
    with transaction.atomic():
        append_rows(
            run, [LoggedRow(stream, NOON_US + n * 10**6, row) for n, row in enumerate(rows)]
        )
