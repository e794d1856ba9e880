"""A project such as a year of sweeps leaves behind: many runs, many metric keys, no points.

Written past the domain, which would take an hour; the rows are what it would have written.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction

from tracking.domain.access import local_user
from tracking.domain.projects import open_project
from tracking.enums import RunStatus
from tracking.models import Metric, Run

RUNS, KEYS, METRICS_EACH = 10_000, 12_000, 100
SHARED = [
    "loss",
    "accuracy",
    "train/loss",
    "train/accuracy",
    "val/loss",
    "val/accuracy",
    "optim/lr",
]
START = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 1_000


def fill_project(key: str, runs: int) -> None:
    rng = np.random.default_rng(5)
    with transaction.atomic():
        project = open_project(key, user=local_user())
        made = [make_run(rng, number, project_id=project.pk) for number in range(runs)]
        Run.objects.bulk_create(made, batch_size=AT_ONCE)
        add_metrics(rng, list(project.runs.order_by("pk").values_list("pk", flat=True)))


def make_run(rng: np.random.Generator, number: int, **fields: Any) -> Run:
    started = START + timedelta(minutes=number)
    ended = started + timedelta(seconds=int(rng.integers(30, 90_000)))
    status = RunStatus.FAILED if number % 17 == 0 else RunStatus.COMPLETED
    return Run(
        **fields,
        uid=uuid.uuid4(),
        key=f"sweep-{number:05}",
        name=f"sweep-{number:05}",
        status=status,
        exit_code=int(status == RunStatus.FAILED),
        config=make_config(rng),
        summary={"best": {"loss": round(rng.random(), 6), "epoch": int(rng.integers(90))}},
        metadata={"host": f"gpu-{number % 40:02}", "python": "3.11.9", "gpu": "A100-SXM4-80GB"},
        tags=[f"sweep-{number // 100}", *(["baseline"] if number % 50 == 0 else [])],
        notes="Diverged once the warm-up ended; see the run before." if number % 20 == 0 else "",
        color=number % 20,
        started_at=started,
        ended_at=ended,
        last_seen_at=ended,
        revision=METRICS_EACH,
    )


def make_config(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "lr": float(10 ** rng.uniform(-5, -1)),
        "batch_size": int(2 ** rng.integers(4, 10)),
        "seed": int(rng.integers(1_000)),
        "optimizer": {"name": str(rng.choice(["adamw", "sgd"])), "betas": [0.9, 0.999]},
        "model": {"name": "resnet50", "depth": int(rng.integers(18, 152)), "dropout": 0.1},
        "data": {"path": "/datasets/imagenet/2012/train", "workers": 8, "crop": 224},
        "schedule": "cosine",
        "commit": rng.bytes(20).hex(),
    }


def add_metrics(rng: np.random.Generator, run_ids: list[int]) -> None:
    columns = "run_id, name, count, finite_count, min, max, sum, last, last_step"
    insert = f"INSERT INTO {Metric._meta.db_table} ({columns}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)"
    with connection.cursor() as cursor:
        for start in range(0, len(run_ids), AT_ONCE):
            some = run_ids[start : start + AT_ONCE]
            cursor.executemany(insert, list(metric_rows(rng, some)))


def metric_rows(rng: np.random.Generator, run_ids: list[int]) -> Iterator[tuple[Any, ...]]:
    """Some keys are everybody's; the others are those of the run's architecture."""
    others = METRICS_EACH - len(SHARED)
    for run_id in run_ids:
        first = int(rng.integers(KEYS - len(SHARED)))
        places = [(first + n) % (KEYS - len(SHARED)) for n in range(others)]
        names = SHARED + [f"layers/{n // 8:04}/norm_{n % 8}" for n in places]
        lows, lasts, highs = np.sort(rng.random((3, len(names))), axis=0).tolist()
        for name, low, last, high in zip(names, lows, lasts, highs, strict=True):
            yield run_id, name, 1_000, 1_000, low, high, 500.0, last, 999
