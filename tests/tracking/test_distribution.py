"""The tables that grow carry the run in every key and are asked by it: a database that is spread over
machines by run finds all of a run on one of them. See docs/scaling.md.
"""

import re
from collections.abc import Iterable, Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.models import UniqueConstraint
from django.test.utils import CaptureQueriesContext

from tests.engines import postgres_only
from tests.factories import make_batch, make_points, start_event, take_in
from tracking.domain import at_once
from tracking.domain.batch import Event
from tracking.domain.deletion import delete_runs
from tracking.domain.distribution import SPREAD, key_statements, undo_statements
from tracking.domain.packing import fold_run
from tracking.domain.rows import read_rows
from tracking.domain.series import Window, read_news, read_series
from tracking.models import LogLine, Metric, MetricPoint, Producer, RowBlock, Run

HOT: list[type[models.Model]] = [Metric, MetricPoint, RowBlock, LogLine, Producer]
# What finds out whose run it is: for the first batch of a producer, and for those with events.
FIRST_MEETING = re.compile(r"WHERE producer\.uuid = ")


@pytest.mark.parametrize("model", HOT)
def test_every_key_carries_the_run(model: type[models.Model]) -> None:
    meta = model._meta
    constraints = [one for one in meta.constraints if isinstance(one, UniqueConstraint)]

    assert meta.get_field("run").column == "run_id"
    assert constraints
    assert [one.name for one in constraints if "run" not in one.fields] == []
    assert [field.name for field in meta.local_fields if field.unique] == ["id"]
    assert not meta.unique_together


@pytest.mark.parametrize("model", HOT)
def test_no_key_of_the_database_points_to_a_row_that_is_spread_too(
    model: type[models.Model],
) -> None:
    kept = [field for field in model._meta.local_fields if getattr(field, "db_constraint", False)]

    assert [field.name for field in kept if field.related_model in HOT] == []


def test_all_of_them_are_spread() -> None:
    assert set(SPREAD) == set(HOT)


def test_all_tables_with_many_rows_of_a_run_are_hot() -> None:
    """What is new here has to be looked at: a run's files and folders are few, and named by others."""
    of_runs = {
        model.__name__
        for model in apps.get_app_config("tracking").get_models()
        if any(field.name == "run" for field in model._meta.local_fields)
    }

    assert of_runs == {model.__name__ for model in HOT} | {"Artifact", "Folder"}


def test_command_prints_statements_for_each_table() -> None:
    said = StringIO()
    call_command("distribute", "--sql", stdout=said)

    for model in HOT:
        table = model._meta.db_table
        assert (
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (run_id, id);"
            in said.getvalue()
        )
        assert f"SELECT create_distributed_table('{table}', 'run_id'" in said.getvalue()
    assert "create_reference_table('tracking_run')" in said.getvalue()


def hot_statements(queries: CaptureQueriesContext) -> list[str]:
    tables = "|".join(model._meta.db_table for model in HOT)
    named = re.compile(rf"\b({tables})\b")
    return [query["sql"] for query in queries.captured_queries if named.search(query["sql"])]


def names_run(statement: str) -> bool:
    """In what chooses the rows, not only among the columns that are read."""
    if re.match(r'INSERT (OR IGNORE )?INTO "?\w+"? \([^)]*run_id', statement):
        return True
    _, _, condition = statement.partition("WHERE")
    return "run_id" in condition or bool(FIRST_MEETING.search(statement))


def live_a_life() -> None:
    """Of a run: everything that is written and read while it goes on, folding and deletion."""
    take_in(make_batch(1, 1, events=start_event()))
    events = (
        Event(2, "log", {"message": "hello"}),
        Event(3, "row", {"fields": {"a": 1.0}}),
    )
    take_in(make_batch(2, 3, points=make_points({"loss": [1.0], "acc": [2.0]}), events=events))
    for seq in range(4, 8):
        take_in(make_batch(seq, seq, points=make_points({"loss": [1.0]}, first_step=seq)))
    run = Run.objects.get()
    fold_run(run, upto=run.revision)
    totals = {series.metric: series.total for series in read_series([run], Window())}
    assert totals == {"a": 1, "acc": 1, "loss": 5}
    assert read_news(run.pk, 0)
    assert read_rows(run, "", limit=10)
    assert run.log_lines.count() == 1
    delete_runs(Run.objects.all())


@pytest.mark.django_db(transaction=True)
def test_every_statement_on_them_names_the_run() -> None:
    with CaptureQueriesContext(connection) as queries:
        live_a_life()

    found = hot_statements(queries)
    assert len(found) > 20
    assert [statement[:900] for statement in found if not names_run(statement)] == []


def test_statement_of_a_batch_names_the_run_of_each_table() -> None:
    """It does not come by Django's cursor, which the test above listens to."""
    for part in ("WHERE uuid = %(uuid)s AND run_id = %(run_id)s", "metric.run_id = %(run_id)s"):
        assert part in at_once.STORE_BATCH


@pytest.fixture
def _keys_with_run() -> Iterator[None]:
    run_statements(key_statements())
    yield
    run_statements(undo_statements())


def run_statements(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_keys_with_run")
def test_a_run_lives_as_before_with_such_keys() -> None:
    with connection.cursor() as cursor:
        keys = [
            connection.introspection.get_primary_key_columns(cursor, model._meta.db_table)
            for model in HOT
        ]
    assert [sorted(key) for key in keys] == [["id", "run_id"]] * len(HOT)

    live_a_life()

    assert not any(model.objects.exists() for model in (Metric, MetricPoint, RowBlock, LogLine))
    assert Producer.objects.values_list("last_seq", flat=True).get() == 7
