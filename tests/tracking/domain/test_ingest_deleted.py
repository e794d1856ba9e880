"""What comes for a run that is not there any more, or is back."""

from contextlib import suppress
from uuid import UUID

import pytest

from tests.factories import make_batch, make_points, start_event, take_in
from tests.people import make_person
from tracking.domain import ingest
from tracking.domain.deletion import delete_runs
from tracking.domain.ingest import record_batch
from tracking.domain.producers import claim_producer, forget_producers
from tracking.domain.trash import discard_projects, discard_runs, restore_runs
from tracking.errors import RunDeleted
from tracking.models import MetricPoint, Project, Run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("gone", ["run", "project", "for good"])
def test_whoever_may_not_everything_is_told_of_the_end_of_a_run_as_well(
    settings, gone: str, is_forgotten: bool
):
    settings.ACCESS = "login"
    alice = make_person("alice")
    record_batch(make_batch(1, 1, events=start_event()), user=alice)
    record_batch(make_batch(2, 2, points=make_points({"loss": [1]})), user=alice)
    record_batch(make_batch(3, 3, points=make_points({"loss": [1]})), user=alice)
    if is_forgotten:
        forget_producers()
    match gone:
        case "run":
            discard_runs(Run.objects.all())
        case "project":
            discard_projects(Project.objects.all())
        case "for good":
            delete_runs(Run.objects.all())

    with pytest.raises(RunDeleted):
        record_batch(make_batch(4, 4, points=make_points({"loss": [1]})), user=alice)


def test_run_that_is_restored_meanwhile_has_not_lost_what_was_refused(monkeypatch):
    """On PostgreSQL the short way moved the watermark before it found the run in the trash."""
    take_in(make_batch(1, 1, events=start_event()))
    for seq in (2, 3):
        take_in(make_batch(seq, seq, points=make_points({"loss": [seq]})))
    discard_runs(Run.objects.all())

    def claim_restored(producer: UUID) -> tuple[int | None, int] | None:
        restore_runs(Run.everything.all())
        return claim_producer(producer)

    monkeypatch.setattr(ingest, "claim_producer", claim_restored)
    batch = make_batch(4, 4, points=make_points({"loss": [4]}))
    with suppress(RunDeleted):
        take_in(batch)
    monkeypatch.undo()
    restore_runs(Run.everything.all())

    assert take_in(batch).acked_seq == 4
    assert [point.value for point in MetricPoint.objects.points()] == [2, 3, 4]
