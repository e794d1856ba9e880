"""Charts through the metrics API, beside decoding and downsampling alone."""

import subprocess
import sys

import numpy as np
from django.db import transaction
from django.test import RequestFactory
from django.urls import resolve

from tests.bench.measure import Figure, best_of
from tracking.domain.access import local_user
from tracking.domain.batch import Batch, Points
from tracking.domain.downsample import chart_order, downsample
from tracking.domain.ingest import record_batch
from tracking.domain.packing import fold_run
from tracking.domain.projects import open_project
from tracking.domain.runs import RunStart, start_run
from tracking.models import MetricPoint, Run
from tracking.points import Columns, decode

MAX_POINTS = 1_000


def fill(
    project: str, runs: int, metrics: int, points: int, *, per_batch: int = 1_000
) -> list[Run]:
    """Noisy decaying curves, half of them born as float32, jittered times; folded."""
    rng = np.random.default_rng(3)
    made = []
    with transaction.atomic():
        opened = open_project(project, user=local_user())
        for number in range(runs):
            run, _ = start_run(opened, RunStart(key=f"run-{number}"), user=local_user())
            for start in range(0, points, per_batch):
                log_curves(rng, run, metrics, start, per_batch)
            run.refresh_from_db()
            fold_run(run, upto=run.revision)
            made.append(run)
    return made


def log_curves(rng: np.random.Generator, run: Run, metrics: int, start: int, size: int) -> None:
    steps = np.arange(start, start + size)
    curves = [np.exp(-steps / 5_000) + rng.normal(0, 0.02, size) for _ in range(metrics)]
    curves[::2] = [curve.astype(np.float32).astype(np.float64) for curve in curves[::2]]
    times = 1_767_268_800_000_000 + steps * 100_000 + rng.integers(0, 5_000, size)
    columns = Columns(np.tile(steps, metrics), np.concatenate(curves), np.tile(times, metrics))
    names = [f"train/curve_{n}" for n in range(metrics)]
    points = Points(names, np.full(metrics, size), columns)
    record_batch(Batch(run_id=run.pk, points=points), user=local_user())


def ask(project: str, runs: list[Run], **query: object) -> bytes:
    """The body of the metrics API's answer, through URL, view and renderer."""
    path = f"/api/projects/{project}/runs/metrics"
    asked = {"runs": ",".join(run.key for run in runs), "format": "msgpack"} | query
    request = RequestFactory().get(path, asked)
    match = resolve(path)
    answer = match.func(request, *match.args, **match.kwargs)
    return bytes(answer.render().content)


def decode_and_downsample(rows: list[bytes]) -> None:
    for data in rows:
        downsample(chart_order(decode(data)), MAX_POINTS)


def chart(project: str, *, runs: int, metrics: int, points: int) -> Figure:
    made = fill(project, runs, metrics, points)
    return figure(f"chart of {runs} runs × {metrics} metrics × {points:,} points", project, made)


def figure(
    name: str, project: str, made: list[Run], goal: str = "≤ 2.5", **query: object
) -> Figure:
    """One question to the API beside the least that any answer takes."""
    stretches = MetricPoint.objects.filter(run__in=made)
    rows = [bytes(data) for data in stretches.values_list("data", flat=True)]
    floor = best_of(5, lambda: decode_and_downsample(rows))
    ours = best_of(5, lambda: ask(project, made, **query))
    total = sum(stretches.values_list("count", flat=True))
    return Figure(name, ours * 1e3, "ms", "decode + downsample alone", floor * 1e3, goal, total)


def questions(project: str, runs: int, metrics: int, points: int) -> list[Figure]:
    """The same charts, asked for in other ways."""
    made = fill(project, runs, metrics, points)
    for number, run in enumerate(made):
        run.tags = [f"seed-{number % 4}"]
        run.save(update_fields=["tags"])
    ways: list[tuple[str, str, dict[str, object]]] = [
        (f"{metrics} charts of {runs} runs, plain", "≤ 2.5", {}),
        ("… as JSON", "≤ 2.5", {"format": "json"}),
        ("… smoothed", "≤ 3.5", {"smooth": 0.99}),
        ("… over seconds since the start", "≤ 2.5", {"x": "relative"}),
        ("… in segments", "≤ 2.5", {"segments": 1}),
        ("… in 4 groups", "≤ 3.5", {"group": "tags"}),
        ("… in 4 groups, smoothed", "≤ 4.5", {"group": "tags", "smooth": 0.99}),
    ]
    return [figure(name, project, made, goal, **query) for name, goal, query in ways]


def cold(project: str, run: str, points: int) -> Figure:
    """The first chart of a process; see cold_chart.py."""

    def measure(way: str) -> float:
        command = [sys.executable, "-m", "tests.bench.cold_chart", way, project, run]
        answers = [subprocess.check_output(command, text=True) for _ in range(5)]
        return min(map(float, answers))

    name = f"… of {points:,} points, first in its process"
    floor = measure("floor")
    return Figure(name, measure("api"), "ms", "decode + downsample alone", floor, "≤ 3.5", points)


def figures() -> list[Figure]:
    return [
        chart("c20", runs=20, metrics=1, points=10_000),
        chart("c100", runs=100, metrics=1, points=10_000),
        *questions("c20x4", runs=20, metrics=4, points=10_000),
        chart("c1m", runs=1, metrics=1, points=1_000_000),
        cold("c1m", "run-0", 1_000_000),
    ]
