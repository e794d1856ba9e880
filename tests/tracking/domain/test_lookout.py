import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_run
from tracking.domain import lookout
from tracking.domain.lookout import Lookout, read_revisions
from tracking.domain.runs import revise_run

pytestmark = pytest.mark.django_db


def watch(watched: list[int]) -> tuple[Lookout, list[tuple[int, int | None]]]:
    news: list[tuple[int, int | None]] = []
    changed = lambda run_id, revision: news.append((run_id, revision))  # noqa: E731 -- two words
    return Lookout(watched=lambda: watched, changed=changed, is_over=lambda: False), news


def test_each_change_is_told_of_once():
    run, other = make_run("a"), make_run(key="b")
    one, news = watch([run.pk, other.pk])
    one.look()
    news.clear()

    revision = revise_run(run.pk)
    one.look()
    one.look()

    assert news == [(run.pk, revision)]


def test_run_that_somebody_begins_to_watch_is_told_of():
    run, watched = make_run(), []
    one, news = watch(watched)
    one.look()
    watched.append(run.pk)

    one.look()

    assert news == [(run.pk, 1)]


def test_deleted_run_is_told_of():
    run = make_run()
    one, news = watch([run.pk])
    one.look()
    news.clear()
    number = run.pk
    run.delete()

    one.look()

    assert news == [(number, None)]


def test_look_is_one_query_however_many_runs_are_watched():
    runs = [make_run(f"run-{number}") for number in range(3)]
    one, _ = watch([run.pk for run in runs])

    with CaptureQueriesContext(connection) as queries:
        one.look()

    assert len(queries) == 1


def test_nobody_watches_and_nothing_is_asked():
    one, news = watch([])

    with CaptureQueriesContext(connection) as queries:
        one.look()

    assert (len(queries), news) == (0, [])


def test_many_runs_are_asked_for_in_portions(monkeypatch):
    monkeypatch.setattr(lookout, "RUNS_AT_ONCE", 2)
    runs = [make_run(f"run-{number}") for number in range(3)]

    assert read_revisions([run.pk for run in runs]) == {run.pk: 1 for run in runs}


@pytest.mark.parametrize("trouble", [OperationalError("away"), InterfaceError("closed")])
def test_look_that_fails_is_not_the_last_one(monkeypatch, trouble):
    def look() -> None:
        looks.append(1)
        if len(looks) < 3:
            raise trouble

    looks: list[int] = []
    monkeypatch.setattr(lookout, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(lookout.connection, "close", lambda: None)
    one = Lookout(watched=list, changed=lambda *_: None, is_over=lambda: len(looks) == 3)
    monkeypatch.setattr(one, "look", look)

    one._run()

    assert len(looks) == 3
