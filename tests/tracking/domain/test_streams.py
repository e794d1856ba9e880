import pytest
from django.db import transaction

from tests.factories import make_run
from tracking.domain.rows import Appended, read_rows
from tracking.domain.streams import describe_run_stream, take_rows
from tracking.errors import RunDeleted
from tracking.models import Run

pytestmark = pytest.mark.django_db


def test_rows_are_taken_to_the_end_of_their_stream():
    run = make_run()

    with transaction.atomic():
        places = [take_rows(run.pk, "train", [{"a": 1}, 7], words={}) for _ in range(2)]
        nothing = take_rows(run.pk, "train", [], words={})

    assert places == [Appended(0, 2), Appended(2, 2)]
    assert nothing == Appended(4, 0)
    rows = [row.fields for row in read_rows(run, "train", limit=9)]
    assert rows == [{"a": 1}, {"value": 7}] * 2
    run.refresh_from_db()
    assert run.metadata == {"warnings": ["train: a row that is no object."]}


def test_first_words_stay_and_are_mended():
    run = make_run()

    with transaction.atomic():
        take_rows(run.pk, "train", [{}], words={"description": "a\0", "tags": float("nan")})
        take_rows(run.pk, "train", [{}], words={"description": "later"})
        describe_run_stream(run.pk, "other", words={"tags": ["x"]})

    run.refresh_from_db()
    assert run.metadata["streams"] == {
        "train": {"description": "a\ufffd", "tags": "NaN"},
        "other": {"tags": ["x"]},
    }


def test_deleted_run_takes_nothing():
    run = make_run()
    Run.objects.filter(pk=run.pk).delete()

    with pytest.raises(RunDeleted), transaction.atomic():
        take_rows(run.pk, "train", [{"a": 1}], words={})
