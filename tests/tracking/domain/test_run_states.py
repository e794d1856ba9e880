import pytest
from django.db import transaction

from tests.factories import make_run
from tracking.domain.run_states import set_status
from tracking.domain.streams import take_rows
from tracking.enums import RunStatus
from tracking.errors import RunDeleted
from tracking.models import Run

pytestmark = pytest.mark.django_db


def test_run_ends_and_goes_on_by_a_word():
    run = make_run(tags=["a"])

    with transaction.atomic():
        ended = set_status(run.pk, RunStatus.FAILED)
        assert (ended.status, ended.ended_at is None) == ("failed", False)
        again = set_status(run.pk, RunStatus.RUNNING)

    assert (again.status, again.ended_at, again.tags) == ("running", None, ["a"])


def test_words_are_changed_without_a_status():
    run = make_run(tags=["a"], readme="old")

    with transaction.atomic():
        set_status(run.pk, None, readme="new")
        set_status(run.pk, None, tags=["b"])

    run.refresh_from_db()
    assert (run.status, run.readme, run.tags) == ("running", "new", ["b"])


def test_end_keeps_the_warnings_of_another_hand():
    """The run that a request has loaded is older than what was logged meanwhile."""
    run = make_run()

    with transaction.atomic():
        take_rows(run.pk, "train", [7], words={})
        set_status(run.pk, RunStatus.COMPLETED)

    run.refresh_from_db()
    assert run.metadata == {"warnings": ["train: a row that is no object."]}


def test_deleted_run_has_no_status():
    run = make_run()
    Run.objects.filter(pk=run.pk).delete()

    with pytest.raises(RunDeleted), transaction.atomic():
        set_status(run.pk, RunStatus.COMPLETED)
