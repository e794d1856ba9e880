import math

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, make_run
from tracking.domain import packing
from tracking.domain.packing import FoldQueue, fold_run
from tracking.domain.runs import finish_run
from tracking.domain.series import Window, read_news, read_series
from tracking.enums import RunStatus
from tracking.models import MetricPoint, Run

pytestmark = pytest.mark.django_db


def log_many(run: Run, commits: int) -> None:
    for number in range(commits):
        values = [float(number), math.nan]
        log_points(run, {"a": values, "b": [0.1]}, first_step=2 * number)


def fold_all(run: Run) -> int:
    run.refresh_from_db()
    return fold_run(run, upto=run.revision)


def columns(run: Run, name: str) -> list[bytes]:
    raw = read_series([run], Window(raw=True), names=[name])[0].columns
    return [raw.steps.tobytes(), raw.values.tobytes(), raw.times_us.tobytes()]


def test_fold_keeps_every_point_bit_for_bit():
    run = make_run()
    log_many(run, 5)
    before = [columns(run, name) for name in "ab"]

    saved = fold_all(run)

    assert saved == 8
    assert [columns(run, name) for name in "ab"] == before
    rows = MetricPoint.objects.values_list(
        "metric__name", "ordinal", "count", "step_min", "step_max"
    )
    assert sorted(rows) == [("a", 0, 10, 0, 9), ("b", 0, 5, 0, 8)]
    assert set(MetricPoint.objects.values_list("revision", flat=True)) == {run.revision}


def test_folding_twice_changes_nothing():
    run = make_run()
    log_many(run, 3)
    fold_all(run)
    ids = list(MetricPoint.objects.values_list("id", flat=True))

    assert fold_all(run) == 0
    assert list(MetricPoint.objects.values_list("id", flat=True)) == ids


def test_young_stretches_are_left_alone_and_go_on_from_there():
    run = make_run()
    log_many(run, 4)

    fold_run(run, upto=3)
    run.refresh_from_db()

    counts = MetricPoint.objects.filter(metric__name="a").values_list(
        "ordinal", "count", "revision"
    )
    assert list(counts) == [(0, 4, 3), (4, 2, 4), (6, 2, 5)]
    assert run.unfolded == 2
    news = read_news(run.pk, 3)
    assert news is not None
    assert [row.step for row in news.rows()] == [4, 5, 6, 7]


def test_grown_stretch_is_left_alone_until_the_run_ends(monkeypatch):
    monkeypatch.setattr(packing, "SMALL", 4)
    run = make_run()
    log_many(run, 2)
    fold_all(run)
    log_many(run, 1)
    fold_all(run)
    assert list(MetricPoint.objects.filter(metric__name="a").values_list("count", flat=True)) == [
        4,
        2,
    ]

    finish_run(run, status=RunStatus.COMPLETED)
    fold_all(run)

    assert list(MetricPoint.objects.filter(metric__name="a").values_list("count", flat=True)) == [6]


def test_stretches_do_not_grow_beyond_the_largest(monkeypatch):
    monkeypatch.setattr(packing, "LARGE", 5)
    run = make_run()
    for number in range(6):
        log_points(run, {"a": [1, 2]}, first_step=2 * number)

    fold_all(run)

    rows = MetricPoint.objects.values_list("ordinal", "count")
    assert list(rows) == [(0, 4), (4, 4), (8, 4)]


def test_packed_points_are_small():
    rng = np.random.default_rng(7)
    run = make_run()
    values = np.exp(-np.arange(20_000) / 5_000) + rng.normal(0, 0.01, 20_000)
    for start in range(0, 20_000, 1_000):
        log_points(run, {"a": values[start : start + 1_000].astype(np.float32)}, first_step=start)

    fold_all(run)

    assert (
        sum(len(data) for data in MetricPoint.objects.values_list("data", flat=True)) < 8 * 20_000
    )


def test_queue_folds_when_commits_are_old_and_many():
    run, queue = make_run(), FoldQueue()
    log_many(run, 40)
    queue.note(run.pk, 41)

    queue.fold_next(now=1000.0)
    assert MetricPoint.objects.count() == 80

    queue.fold_next(now=1000.0 + packing.FOLD_AGE_S)
    assert MetricPoint.objects.count() == 2


def test_queue_leaves_few_commits_until_the_run_ends():
    run, queue = make_run(), FoldQueue()
    log_many(run, 3)
    queue.note(run.pk, 4)
    queue.fold_next(now=0.0)
    queue.fold_next(now=1000.0)
    assert MetricPoint.objects.count() == 6

    finish_run(run, status=RunStatus.COMPLETED)
    queue.note(run.pk, 5, ended=True)
    queue.fold_next(now=2000.0)
    queue.fold_next(now=3000.0)

    assert MetricPoint.objects.count() == 2


def test_queue_takes_up_what_an_earlier_process_left():
    run, queue = make_run(), FoldQueue()
    log_many(run, 40)

    queue.load()
    queue.fold_next(now=0.0)
    queue.fold_next(now=packing.FOLD_AGE_S)

    assert MetricPoint.objects.count() == 2


def test_queue_forgets_a_deleted_run():
    run, queue = make_run(), FoldQueue()
    log_many(run, 1)
    queue.note(run.pk, 40)
    run.delete()

    queue.fold_next(now=0.0)
    queue.fold_next(now=packing.FOLD_AGE_S)

    assert queue._waiting == {}


def test_queue_leaves_alone_what_another_process_has_folded():
    run, queue, other = make_run(), FoldQueue(), FoldQueue()
    log_many(run, 40)
    for one in (queue, other):
        one.load()
        one.fold_next(now=0.0)
    other.fold_next(now=packing.FOLD_AGE_S)

    with CaptureQueriesContext(connection) as queries:
        queue.fold_next(now=packing.FOLD_AGE_S)

    assert (len(queries), MetricPoint.objects.count()) == (1, 2)


def test_queue_folds_and_forgets_a_run_that_another_process_may_have_ended():
    run, queue = make_run(), FoldQueue()
    log_many(run, 3)
    queue.note(run.pk, 4)

    queue.fold_next(now=0.0)
    queue.fold_next(now=packing.SILENT_S)

    assert (queue._waiting, MetricPoint.objects.count()) == ({}, 2)
