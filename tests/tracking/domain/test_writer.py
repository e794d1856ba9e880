"""The writer's thread has its own connection: these tests commit for real."""

import threading
import time
from concurrent.futures import wait
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils.functional import SimpleLazyObject

from tests.engines import postgres_only
from tests.factories import make_batch, make_points, start_event
from tracking.domain import packing, writer
from tracking.domain.access import local_user
from tracking.domain.batch import Event
from tracking.domain.ingest import record_batch
from tracking.errors import InvalidInput, OutOfSequence, Overloaded
from tracking.models import Metric, MetricPoint, Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT_S = 30


def hold_writer() -> tuple[threading.Event, threading.Event]:
    """Keep the writer busy, so that what is submitted meanwhile forms one group."""
    entered, release = threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        release.wait(TIMEOUT_S)

    writer.submit(work)
    entered.wait(TIMEOUT_S)
    return entered, release


def submit(batch):
    return writer.submit(partial(record_batch, batch, user=local_user()))


def test_waiting_batches_are_committed_together():
    submit(make_batch(1, 1, events=start_event())).result(TIMEOUT_S)
    _, release = hold_writer()

    futures = [submit(make_batch(n, n, points=make_points({"a": [n]}))) for n in range(2, 12)]
    release.set()
    wait(futures, TIMEOUT_S)

    assert [future.result().acked_seq for future in futures] == list(range(2, 12))
    assert Metric.objects.get().count == 10


def test_bad_job_fails_alone():
    submit(make_batch(1, 1, events=start_event())).result(TIMEOUT_S)
    _, release = hold_writer()

    good = submit(make_batch(2, 2, points=make_points({"a": [1]})))
    bad = submit(make_batch(9, 9, points=make_points({"a": [2]})))
    also_good = submit(make_batch(3, 3, points=make_points({"b": [3]})))
    release.set()

    assert (good.result(TIMEOUT_S).acked_seq, also_good.result(TIMEOUT_S).acked_seq) == (2, 3)
    assert isinstance(bad.exception(TIMEOUT_S), OutOfSequence)
    assert dict(Metric.objects.values_list("name", "count")) == {"a": 1, "b": 1}


def test_first_batch_of_all_may_be_a_bad_one():
    """It must not leave the memory of a user who was rolled back with it."""
    whoever: Any = SimpleLazyObject(local_user)  # as the door hands it over: not looked up yet
    unknown = (*start_event(), Event(2, "unknown", {}))

    bad = writer.submit(partial(record_batch, make_batch(1, 2, events=unknown), user=whoever))
    assert isinstance(bad.exception(TIMEOUT_S), InvalidInput)
    good = submit(make_batch(1, 1, events=start_event())).result(TIMEOUT_S)

    assert good.run.created_by == User.objects.get(username="local")


def test_cancelled_job_is_left_out_and_the_writer_lives_on():
    _, release = hold_writer()

    cancelled = writer.submit(lambda: Project.objects.create(key="never", name="never"))
    assert cancelled.cancel()
    release.set()
    writer.submit(lambda: Project.objects.create(key="kept", name="kept")).result(TIMEOUT_S)

    assert list(Project.objects.values_list("key", flat=True)) == ["kept"]


def test_metric_deleted_behind_the_cache_is_made_again():
    submit(make_batch(1, 2, events=start_event(), points=make_points({"a": [1]}))).result(TIMEOUT_S)
    Metric.objects.all().delete()

    submit(make_batch(3, 3, points=make_points({"a": [2]}))).result(TIMEOUT_S)

    assert Metric.objects.values_list("name", "count").get() == ("a", 1)


def test_writer_folds_what_it_has_committed(monkeypatch):
    monkeypatch.setattr(packing, "FOLD_AGE_S", 0.0)
    monkeypatch.setattr(packing, "FOLD_COMMITS", 1)
    submit(make_batch(1, 1, events=start_event())).result(TIMEOUT_S)
    for seq in (2, 3):
        submit(make_batch(seq, seq, points=make_points({"a": [seq]}))).result(TIMEOUT_S)

    deadline = time.monotonic() + TIMEOUT_S
    while MetricPoint.objects.count() > 1 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert MetricPoint.objects.values_list("ordinal", "count").get() == (0, 2)


def test_queue_that_is_too_long_is_refused(settings):
    settings.MAX_WAITING_BATCHES = 1
    _, release = hold_writer()
    waiting = writer.submit(lambda: "written")

    with pytest.raises(Overloaded, match="try again"):
        writer.submit(lambda: "never")
    release.set()

    assert waiting.result(TIMEOUT_S) == "written"


def test_fold_that_fails_does_not_end_the_writer(monkeypatch):
    def fail(now: float) -> None:
        folds.append(now)
        raise ValueError("unreadable")

    folds: list[float] = []
    monkeypatch.setattr(writer.fold_queue, "fold_next", fail)
    deadline = time.monotonic() + TIMEOUT_S
    while not folds and time.monotonic() < deadline:
        writer.submit(lambda: None).result(TIMEOUT_S)

    thread = writer._writer._thread

    assert folds
    assert thread is not None
    assert thread.is_alive()


class _GaveWay(Exception):
    """What psycopg raises where PostgreSQL ends a circle of transactions that wait for each other."""

    sqlstate = "40P01"


def _give_way(times: int, tries: list[int]) -> str:
    tries.append(1)
    if len(tries) <= times:
        raise OperationalError("deadlock detected") from _GaveWay()
    return "written"


def test_what_gave_way_to_another_transaction_is_done_again():
    tries: list[int] = []

    assert writer.write(partial(_give_way, 3, tries)) == "written"
    assert len(tries) == 4


def test_what_always_gives_way_is_told_in_the_end():
    with pytest.raises(OperationalError, match="deadlock detected"):
        writer.write(partial(_give_way, 100, []))


def _lose_connection(connections: list[Any]) -> None:
    """As where the database's machine goes away."""
    connections.append(connection.connection)
    raise OperationalError("the connection is lost")


def _lost_once(monkeypatch) -> None:
    answers = [False]
    monkeypatch.setattr(connection_of_writer(), "is_usable", lambda: not answers or answers.pop())


def connection_of_writer() -> Any:
    return writer.write(lambda: connections["default"])


def test_nobody_is_written_twice_when_the_answer_to_a_commit_is_lost(monkeypatch):
    """The producers among them ask again, and skip what has arrived; others decide themselves."""
    _lost_once(monkeypatch)
    _, release = hold_writer()
    done: list[int] = []

    def lose_answer() -> None:
        transaction.on_commit(partial(_lose_connection, []))

    jobs = [writer.submit(work, run_id=1) for work in (partial(done.append, 1), lose_answer)]
    release.set()

    assert [type(job.exception(TIMEOUT_S)) for job in jobs] == [OperationalError] * 2
    assert done == [1]


def test_what_met_a_dead_connection_is_done_on_a_new_one(monkeypatch):
    """It died while nobody wrote, so nothing of theirs was committed."""
    _lost_once(monkeypatch)
    tries: list[Any] = []

    def work() -> str:
        if not tries:
            _lose_connection(tries)
        return "written"

    assert writer.write(work) == "written"


def test_while_the_database_is_away_nobody_waits_for_each_of_the_others(monkeypatch):
    monkeypatch.setattr(connection_of_writer(), "is_usable", lambda: False)
    tries: list[Any] = []
    _, release = hold_writer()

    jobs = [writer.submit(partial(_lose_connection, tries), run_id=1) for _ in range(9)]
    release.set()

    assert {type(job.exception(TIMEOUT_S)) for job in jobs} == {OperationalError}
    assert len(tries) == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others have one process")
def test_first_batch_that_comes_to_two_servers_is_taken_once():
    """As where a job asks again at another one before the first has answered."""
    local_user()
    first = make_batch(1, 2, events=start_event(), points=make_points({"a": [1]}))
    with transaction.atomic():
        record_batch(first, user=local_user())
        again = submit(first)
        time.sleep(0.3)  # until it waits for this transaction

    assert again.result(TIMEOUT_S).acked_seq == 2
    assert Metric.objects.values_list("name", "count").get() == ("a", 1)
    assert Run.objects.count() == 1


def test_whoever_writes_to_several_runs_does_so_in_one_order(monkeypatch):
    jobs = [writer._Job(dict, run_id) for run_id in (7, None, 3, 5)]

    monkeypatch.setattr(connection.features, "has_select_for_update", True)
    assert [[job.run_id for job in group] for group in writer._group(jobs)] == [[3, 5, 7], [None]]

    monkeypatch.setattr(connection.features, "has_select_for_update", False)
    assert writer._group(jobs) == [jobs]
    assert writer._group([]) == []


@postgres_only
def test_connection_that_was_lost_meanwhile_is_nobodys_error():
    writer.write(Project.objects.count)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert writer.write(Project.objects.count) == 0
