"""Deleting runs and projects: what is told, what goes, what stays."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.engines import sqlite_only
from tests.factories import log_points, make_batch, make_run, start_event, take_in
from tracking.domain import deletion
from tracking.domain.artifacts import store_artifact
from tracking.domain.deletion import delete_projects, delete_runs
from tracking.domain.weights import Weight, weigh_runs
from tracking.errors import RunDeleted
from tracking.models import (
    Artifact,
    LogLine,
    Metric,
    MetricPoint,
    Producer,
    Project,
    RowBlock,
    Run,
)

pytestmark = pytest.mark.django_db(transaction=True)
RAW_POINT_BYTES = 24
KIND_BYTES = 1


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def files(store: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in store.rglob("*") if path.is_file())


def make_full_run(key: str, project: str = "proj") -> Run:
    """Two metrics, five points, a file of seven bytes, a log line and three bytes of rows."""
    run = make_run(key, project)
    log_points(run, {"loss": [3.0, 2.0, 1.0], "acc": [0.1, 0.2]})
    store_artifact(run, ContentFile(b"weights"), name="model.pt")
    LogLine.objects.create(run=run, seq=0, time=timezone.now(), message="epoch 1")
    RowBlock.objects.create(run=run, stream="rows", ordinal=0, count=1, data=b"abc")
    return run


def weight_of(run_count: int) -> Weight:
    data_bytes = 2 * KIND_BYTES + 5 * RAW_POINT_BYTES + 3
    return Weight(
        metric_count=2 * run_count,
        point_count=5 * run_count,
        log_line_count=run_count,
        file_count=run_count,
        data_bytes=data_bytes * run_count,
        file_bytes=7 * run_count,
    )


def rows_left() -> dict[str, int]:
    models = (Run, Metric, MetricPoint, RowBlock, LogLine, Artifact)
    return {model.__name__: model.objects.count() for model in models}


def queries_of(work: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        work()
    return [query["sql"] for query in queries]


def test_weight_is_all_that_lies_in_the_runs(store):
    make_full_run("a")
    make_full_run("b")
    make_full_run("c", "other")

    weight = weigh_runs(Run.objects.filter(project__key="proj"))

    assert weight == weight_of(2)
    assert weight.total_bytes == 2 * (2 + 120 + 3 + 7)


def test_no_runs_weigh_nothing():
    assert weigh_runs(Run.objects.none()) == Weight()
    assert delete_runs(Run.objects.none()) == Weight()


def test_replaced_files_weigh_nothing_and_go_too(store):
    run = make_run()
    store_artifact(run, ContentFile(b"old"), name="model.pt")
    store_artifact(run, ContentFile(b"newer"), name="model.pt")

    weight = delete_runs(Run.objects.all())

    assert (weight.file_count, weight.file_bytes) == (1, 5)
    assert (files(store), Artifact.objects.count()) == ([], 0)


def test_deleted_runs_take_all_with_them_and_leave_the_others(store):
    make_full_run("a")
    make_full_run("b")
    make_full_run("kept")

    weight = delete_runs(Run.objects.filter(key__in=["a", "b"]))

    assert weight == weight_of(2)
    assert rows_left() == {
        "Run": 1,
        "Metric": 2,
        "MetricPoint": 2,
        "RowBlock": 1,
        "LogLine": 1,
        "Artifact": 1,
    }
    assert Run.objects.get().key == "kept"
    assert files(store) == [b"weights"]


def test_runs_beyond_one_piece_are_deleted_too(monkeypatch):
    monkeypatch.setattr(deletion, "RUNS_AT_ONCE", 2)
    for key in "abcde":
        make_full_run(key)

    assert delete_runs(Run.objects.all()) == weight_of(5)
    assert set(rows_left().values()) == {0}


def test_runs_may_come_from_a_sorted_and_joined_query():
    make_full_run("a")
    make_full_run("b")

    runs = Run.objects.filter(metrics__name="loss").select_related("project").order_by("key")

    assert delete_runs(runs) == weight_of(2)


def test_nothing_is_deleted_when_the_transaction_is_rolled_back(store):
    make_full_run("a")

    with transaction.atomic():
        delete_runs(Run.objects.all())
        transaction.set_rollback(True)

    assert set(rows_left().values()) == {1, 2}
    assert files(store) == [b"weights"]


def test_producer_of_a_deleted_run_is_told_so():
    take_in(make_batch(1, 1, events=start_event()))

    delete_runs(Run.objects.all())

    assert not Run.everything.filter(pk=Producer.objects.get().run_id).exists()
    with pytest.raises(RunDeleted):
        take_in(make_batch(2, 2, run_uid=uuid.UUID(int=1)))


def test_metrics_and_points_are_never_loaded(monkeypatch):
    def refuse(*args: object) -> None:
        raise AssertionError("A row was loaded.")

    for key in "abc":
        make_full_run(key)
    monkeypatch.setattr(Metric, "from_db", refuse)
    monkeypatch.setattr(MetricPoint, "from_db", refuse)

    statements = queries_of(lambda: delete_runs(Run.objects.filter(key__in=["a", "b"])))

    column = '"tracking_metricpoint"."data"'
    assert any(f"LENGTH({column})" in sql for sql in statements)
    assert [sql for sql in statements if column in sql.replace(f"LENGTH({column})", "")] == []


def test_number_of_statements_does_not_grow_with_the_runs():
    for key in "abcd":
        make_full_run(key)
    ContentType.objects.get_for_model(Run)  # a process asks for it once

    one = queries_of(lambda: delete_runs(Run.objects.filter(key="a")))
    three = queries_of(lambda: delete_runs(Run.objects.all()))

    assert len(one) == len(three)


def test_deleted_project_takes_its_runs_with_it(store):
    make_full_run("a")
    make_full_run("b")
    make_full_run("c", "other")

    weight = delete_projects(Project.objects.filter(key="proj"))

    assert weight == weight_of(2)
    assert [project.key for project in Project.objects.all()] == ["other"]
    assert rows_left()["Run"] == 1
    assert files(store) == [b"weights"]


def pages() -> tuple[int, int]:
    """Of the database file: all of them, and those that hold nothing."""
    with connection.cursor() as cursor:
        return tuple(
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count")
        )


@sqlite_only
def test_database_file_shrinks():
    kept, run = make_run("kept"), make_run("a")
    block = {"stream": "rows", "count": 1, "data": bytes(4_000_000)}
    RowBlock.objects.create(run=kept, ordinal=0, **block)
    RowBlock.objects.bulk_create(
        [RowBlock(run=run, ordinal=ordinal, **block) for ordinal in range(5)]
    )
    pages_before, _ = pages()

    delete_runs(Run.objects.filter(pk=run.pk))

    pages_after, free_pages = pages()
    assert free_pages == 0
    assert pages_before - pages_after > 20_000_000 // 4_096


@sqlite_only
def test_file_beside_the_database_shrinks_too():
    with connection.cursor() as cursor:
        limit_bytes = cursor.execute("PRAGMA journal_size_limit").fetchone()[0]

    assert limit_bytes == 64 * 1024**2
