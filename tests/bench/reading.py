"""Reading 10,000 runs with 100 metrics each back into Python, over HTTP, as `runyard.Api` does."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.db import connection, transaction
from runyard.api import Api, Runs

from tests.bench.crowd import METRICS_EACH, RUNS, make_run
from tests.bench.http import bench_process
from tests.bench.measure import Figure, cpu_seconds
from tracking.domain.access import local_user
from tracking.domain.projects import open_project
from tracking.models import Metric, Run

PROJECT, GOAL_S = "sweep", 10.0
NAMES = [f"layers/{number // 10:02}/norm_{number % 10}" for number in range(METRICS_EACH)]
COLUMNS = "run_id, name, count, finite_count, min, max, sum, last, last_step"
INSERT = f"INSERT INTO {Metric._meta.db_table} ({COLUMNS}) VALUES (%s,%s,1000,1000,0,1,500,%s,999)"


def fill_sweep() -> None:
    """As one sweep leaves them: all runs have the same metrics."""
    rng = np.random.default_rng(5)
    with transaction.atomic(), connection.cursor() as cursor:
        project = open_project(PROJECT, user=local_user())
        made = [make_run(rng, number, project_id=project.pk) for number in range(RUNS)]
        Run.objects.bulk_create(made, batch_size=1_000)
        for run_id in project.runs.order_by("pk").values_list("pk", flat=True):
            lasts = rng.random(len(NAMES)).tolist()
            rows = zip([run_id] * len(NAMES), NAMES, lasts, strict=True)
            cursor.executemany(INSERT, rows)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def figures() -> list[Figure]:
    fill_sweep()
    with bench_process() as (port, pid):
        api = Api(f"http://127.0.0.1:{port}")
        api.runs(PROJECT, "sweep-00001")  # the server is warm
        before = cpu_seconds(pid)
        read_s, runs = timed(lambda: api.runs(PROJECT))
        server_s = cpu_seconds(pid) - before
        made = [(name, timed(work)[0]) for name, work in _tables(runs)]
    total = "runs × 100 metrics read"
    return [
        Figure(f"{len(runs):,} {total}", read_s, "s", "goal", GOAL_S, "≤ 1", len(runs)),
        Figure("  CPU of the server", server_s, "s", "whole", read_s, "", len(runs)),
        *(
            Figure(f"  and {name}", read_s + made_s, "s", "goal", GOAL_S, "≤ 1", len(runs))
            for name, made_s in made
        ),
    ]


def _tables(runs: Runs) -> list[tuple[str, Callable[[], Any]]]:
    return [
        ("as rows", runs.rows),
        ("as a pandas table", runs.to_pandas),
        ("as a polars table", runs.to_polars),
    ]
