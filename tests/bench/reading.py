"""Reading 10,000 runs with 100 metrics each back into Python, over HTTP, as `runyard.Api` does."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd  # noqa: F401 -- its import is not what is measured
import polars as pl  # noqa: F401 -- as above
from django.db import connection, transaction
from runyard.api import Api, Runs

from tests.bench.charts import fill
from tests.bench.crowd import METRICS_EACH, RUNS, make_run
from tests.bench.http import bench_process
from tests.bench.measure import Figure, cpu_seconds
from tracking.domain.access import local_user
from tracking.domain.projects import open_project
from tracking.models import Metric, Run

PROJECT, GOAL_S = "sweep", 10.0
CURVES, CURVE_RUNS, CURVE_METRICS, CURVE_POINTS = "curves", 100, 5, 4_000
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


class Reading:
    """A piece of work: how long it took, and how much of that server and client computed."""

    def __init__(self, pid: int, work: Callable[[], Any]) -> None:
        server, client, start = cpu_seconds(pid), time.process_time(), time.perf_counter()
        self.found = work()
        self.took_s = time.perf_counter() - start
        self.cpu_s = cpu_seconds(pid) - server + time.process_time() - client


def figures() -> list[Figure]:
    fill_sweep()
    fill(CURVES, CURVE_RUNS, CURVE_METRICS, CURVE_POINTS)
    with bench_process() as (port, pid):
        api = Api(f"http://127.0.0.1:{port}")
        api.runs(PROJECT, "sweep-00001")  # the server is warm
        read = Reading(pid, lambda: api.runs(PROJECT))
        tables = [(name, Reading(pid, work)) for name, work in _tables(read.found)]
        series = Reading(pid, lambda: api.runs(CURVES).series())
    total = sum(len(one.steps) for by_run in series.found.values() for one in by_run.values())
    cpu = "CPU of both"
    return [
        Figure(f"{RUNS:,} runs × 100 metrics read", read.took_s, "s", cpu, read.cpu_s, "≤ 10 s", RUNS),
        *(
            Figure(f"  and {name}", read.took_s + one.took_s, "s", cpu, read.cpu_s + one.cpu_s, "≤ 10 s", RUNS)
            for name, one in tables
        ),
        Figure("every point of 100 runs read", series.took_s, "s", cpu, series.cpu_s, "", total),
    ]  # fmt: skip


def _tables(runs: Runs) -> list[tuple[str, Callable[[], Any]]]:
    return [
        ("as rows", runs.rows),
        ("as a pandas table", runs.to_pandas),
        ("as a polars table", runs.to_polars),
    ]
