from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_run
from tracking.domain.runs import close_run, finish_run, reopen_run, tag_runs, update_run
from tracking.enums import RunStatus
from tracking.errors import InvalidInput
from tracking.models import Run

pytestmark = pytest.mark.django_db


def fell_silent(run: Run) -> Run:
    """The run, last heard of two hours into it, a day ago."""
    start = timezone.now() - timedelta(days=1)
    Run.objects.filter(pk=run.pk).update(started_at=start, last_seen_at=start + timedelta(hours=2))
    run.refresh_from_db()
    return run


def test_update_replaces_what_is_given_and_leaves_the_rest():
    run = make_run(tags=["a"], notes="old")

    update_run(run, name="Better name", readme="# Why")

    stored = Run.objects.get()
    assert (stored.name, stored.readme) == ("Better name", "# Why")
    assert (stored.tags, stored.notes) == (["a"], "old")
    assert stored.revision == run.revision + 2  # started, and now changed


def test_word_of_the_training_is_a_sign_of_life():
    run = fell_silent(make_run())

    update_run(run, notes="epoch 3")

    assert Run.objects.get().is_stale is False


def test_word_of_a_person_is_no_sign_of_life():
    run = fell_silent(make_run())

    update_run(run, notes="Who started this?", is_alive=False)

    stored = Run.objects.get()
    assert (stored.notes, stored.is_stale) == ("Who started this?", True)
    assert stored.last_seen_at == run.last_seen_at
    assert stored.revision == run.revision + 1


def test_silent_run_that_is_closed_ended_with_its_last_sign_of_life():
    run = fell_silent(make_run())

    close_run(run, status=RunStatus.FAILED, username="alice")

    stored = Run.objects.get()
    assert stored.status == "failed"
    assert stored.ended_at == stored.last_seen_at == run.last_seen_at
    assert stored.duration == timedelta(hours=2)
    assert stored.metadata == {"finish_reason": "Marked as failed by alice"}


def test_reason_of_an_earlier_end_is_gone_once_the_run_went_on():
    run = make_run()
    finish_run(run, status=RunStatus.FAILED, reason="ValueError: x")
    finish_run(run, status=RunStatus.FAILED)
    assert Run.objects.get().metadata == {"finish_reason": "ValueError: x"}

    reopen_run(run)
    finish_run(run, status=RunStatus.COMPLETED)

    assert Run.objects.get().metadata == {}


def test_run_that_is_alive_and_is_closed_ends_now():
    run = make_run()
    before = timezone.now()

    close_run(run, status=RunStatus.CANCELLED, username="alice")

    stored = Run.objects.get()
    assert stored.status == "cancelled"
    assert before <= stored.ended_at <= timezone.now()


def test_finished_run_that_is_closed_again_keeps_its_end():
    run = make_run()
    end = timezone.now() - timedelta(hours=5)
    Run.objects.filter(pk=run.pk).update(started_at=end - timedelta(hours=1))
    run.refresh_from_db()
    finish_run(run, status=RunStatus.FAILED, exit_code=3, ended_at=end)

    close_run(run, status=RunStatus.COMPLETED, username="alice")

    stored = Run.objects.get()
    assert (stored.status, stored.exit_code, stored.ended_at) == ("completed", 3, end)


def test_tag_runs_adds_and_takes_away_and_tells_how_many_changed() -> None:
    make_run("a", tags=["keep", "old"])
    make_run("b", tags=["new"])
    make_run("c")

    changed = tag_runs(Run.objects.exclude(key="c"), add=["new"], remove=["old"])

    assert changed == 1
    assert dict(Run.objects.values_list("key", "tags")) == {
        "a": ["keep", "new"],
        "b": ["new"],
        "c": [],
    }


def test_tag_runs_refuses_all_when_one_would_have_too_many() -> None:
    make_run("a")
    make_run("full", tags=[f"tag-{number}" for number in range(100)])

    with pytest.raises(InvalidInput, match="at most 100"):
        tag_runs(Run.objects.all(), add=["one more"])

    assert Run.objects.get(key="a").tags == []
