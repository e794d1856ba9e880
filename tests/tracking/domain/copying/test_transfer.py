from collections.abc import Callable

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError
from django.db import connection

from tests.factories import log_points, make_run
from tracking.domain.copying import stores, transfer
from tracking.domain.copying.backups import sum_store
from tracking.domain.copying.transfer import Progress, Tell, copy_store
from tracking.errors import StoreNotFit
from tracking.management.commands.serve import _prepare_database
from tracking.models import LogLine, Metric, MetricPoint, Producer, RowBlock, Run

pytestmark = pytest.mark.django_db(transaction=True)


def _data(alias: str) -> list[bytes]:
    return list(MetricPoint.objects.using(alias).order_by("pk").values_list("data", flat=True))


def test_everything_is_copied_as_it_is(run: Run, there: str, told: Tell) -> None:
    assert copy_store("default", there, told) == []

    assert sum_store(there, told) == sum_store("default", told)
    for model, count in ((Run.everything, 3), (LogLine.objects, 1), (RowBlock.objects, 1)):
        assert model.using(there).count() == count
    assert [bytes(data) for data in _data(there)] == [bytes(data) for data in _data("default")]
    assert not stores.is_half_copied(there)


def test_numbers_that_were_given_are_not_given_again(run: Run, there: str, told: Tell) -> None:
    last = make_run("last")
    Producer.objects.create(uuid=last.uid, run=last)
    Run.objects.filter(pk=last.pk).delete()

    assert copy_store("default", there, told) == []

    new = Run.objects.using(there).create(project_id=run.project_id, key="new", name="new")
    assert new.pk == last.pk + 1


def test_interrupted_copy_goes_on_where_it_was(
    run: Run, there: str, told: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PORTION_ROWS", 1)

    def stop_in_points(progress: Progress) -> None:
        if progress.what == "tracking_metricpoint":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store("default", there, stop_in_points)
    assert MetricPoint.objects.using(there).count() == 1
    assert stores.is_half_copied(there)

    copied: list[str] = []
    again = copy_store("default", there, lambda progress: copied.append(progress.what))

    assert again == []
    assert "tracking_run" not in copied[: copied.index("tracking_metricpoint")]
    assert sum_store(there, told) == sum_store("default", told)


def test_half_a_copy_is_not_mixed_with_another(run: Run, there: str, told: Tell) -> None:
    stores.execute(there, f"CREATE TABLE {stores.STATE} (source text)")
    stores.execute(there, f"INSERT INTO {stores.STATE} VALUES ('/other/runyard.sqlite3')")

    with pytest.raises(StoreNotFit, match=r"holds a part of /other/runyard\.sqlite3"):
        copy_store("default", there, told)


def tamper_value(there: str, run: Run) -> None:
    Run.objects.using(there).filter(pk=run.pk).update(notes="better", tags=["best"])


def tamper_points(there: str, run: Run) -> None:
    point = MetricPoint.objects.using(there).get(metric__name="acc")
    data = bytes(point.data)
    MetricPoint.objects.using(there).filter(pk=point.pk).update(data=data[:-1] + b"\7")


def tamper_by_deleting(there: str, run: Run) -> None:
    MetricPoint.objects.using(there).filter(metric__name="acc").delete()


def tamper_by_adding(there: str, run: Run) -> None:
    Metric.objects.using(there).create(run_id=run.pk, name="made up")


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (tamper_value, "tracking_run {run} differs in tags, notes"),
        (tamper_points, "tracking_metricpoint {acc} differs in data"),
        (tamper_by_deleting, "tracking_metricpoint {acc} is missing in the copy"),
        (tamper_by_adding, "tracking_metric {next} is only in the copy"),
    ],
)
def test_each_difference_is_named(
    run: Run,
    there: str,
    monkeypatch: pytest.MonkeyPatch,
    tamper: Callable[[str, Run], None],
    named: str,
) -> None:
    is_done = False

    def tamper_once(progress: Progress) -> None:
        nonlocal is_done
        if progress.doing == "compared" and not is_done:
            is_done = True
            tamper(there, run)

    acc = MetricPoint.objects.get(metric__name="acc").pk
    following = Metric.objects.order_by("pk").last()
    assert following
    expected = named.format(run=run.pk, acc=acc, next=following.pk + 1)

    assert copy_store("default", there, tamper_once) == [expected]
    assert stores.is_half_copied(there), "nobody takes it for whole"


def test_differences_beyond_twenty_are_counted(run: Run, there: str, told: Tell) -> None:
    log_points(run, {f"m{number}": [1.0] for number in range(30)})
    copy_store("default", there, told)
    Metric.objects.using(there).filter(name__startswith="m").update(max=2.0)
    stores.execute(there, f"CREATE TABLE {stores.STATE} (source text)")
    name = stores.name_store("default")
    stores.execute(there, f"INSERT INTO {stores.STATE} VALUES (%s)", (name,))

    differences = copy_store("default", there, told)

    assert len(differences) == 21
    assert differences[-1] == "tracking_metric: 10 more rows differ"


def test_store_with_rows_is_not_written_to(run: Run, there: str, told: Tell) -> None:
    copy_store("default", there, told)

    with pytest.raises(StoreNotFit, match=r"there are rows in tracking_user\."):
        copy_store("default", there, told)


def test_store_of_an_older_version_is_refused(there: str, told: Tell) -> None:
    stores.execute(there, "DELETE FROM django_migrations WHERE name = '0007_trash_and_retention'")

    with pytest.raises(StoreNotFit, match=r"tracking\.0007_trash_and_retention is missing"):
        copy_store("default", there, told)


def test_row_that_cannot_be_written_is_named(run: Run, there: str, told: Tell) -> None:
    stores.execute(
        there,
        "CREATE TRIGGER no_acc BEFORE INSERT ON tracking_metric WHEN NEW.name = 'acc'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END",
    )
    acc = Metric.objects.get(name="acc").pk

    with pytest.raises(StoreNotFit, match=rf"tracking_metric {acc} cannot be written: not this"):
        copy_store("default", there, told)


def test_types_of_content_keep_their_numbers(run: Run, there: str, told: Tell) -> None:
    ContentType.objects.using(there).all().delete()
    ContentType.objects.using(there).create(pk=999, app_label="tracking", model="run")

    assert copy_store("default", there, told) == []
    assert sorted(ContentType.objects.using(there).values_list("pk", flat=True)) == sorted(
        ContentType.objects.values_list("pk", flat=True)
    )


@pytest.mark.skipif(connection.vendor != "sqlite", reason="there nobody may write meanwhile")
def test_numbers_given_since_the_copy_began_are_no_difference(run: Run, there: str) -> None:
    def give_numbers(progress: Progress) -> None:
        if progress.doing == "compared":
            stores.execute("default", "UPDATE sqlite_sequence SET seq = seq + 1")

    assert copy_store("default", there, give_numbers) == []


def test_server_does_not_start_on_half_a_copy(transactional_db: None) -> None:
    stores.execute("default", f"CREATE TABLE {stores.STATE} (source text)")
    try:
        with pytest.raises(CommandError, match="This store is half copied"):
            _prepare_database()
    finally:
        stores.execute("default", f"DROP TABLE {stores.STATE}")
