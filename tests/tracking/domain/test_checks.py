import math

import pytest
from django.core.management import call_command

from tests.factories import log_points, make_run
from tracking.domain.checks import Fault, check_store
from tracking.domain.packing import fold_run
from tracking.models import Artifact, Metric, MetricPoint, Run

pytestmark = pytest.mark.django_db
WHERE = "proj/run-1/a"


@pytest.fixture
def run() -> Run:
    run = make_run()
    log_points(run, {"a": [3.0, math.nan, -1e300], "b": [math.inf]})
    log_points(run, {"a": [0.1, 0.2]}, first_step=3)
    log_points(run, {"a": [7.0]}, first_step=1)
    return run


def test_sound_store_has_no_faults_folded_or_not(run):
    assert list(check_store()) == []

    run.refresh_from_db()
    fold_run(run, upto=run.revision)

    assert list(check_store()) == []


def test_wrong_summary_is_told_and_mended(run):
    Metric.objects.filter(name="a").update(count=5, max=99.0)
    text = "the summary was wrong: count 5 is 6, max 99.0 is 7.0"

    assert list(check_store()) == [Fault(WHERE, text)]
    assert list(check_store(mend=True)) == [Fault(WHERE, text, is_mended=True)]
    assert list(check_store()) == []


def test_wrong_bounds_are_told_and_mended(run):
    MetricPoint.objects.filter(metric__name="a", ordinal=3).update(step_max=77)

    assert list(check_store(mend=True)) == [
        Fault(WHERE, "steps 3 to 4 were said to be others", is_mended=True)
    ]
    assert list(check_store()) == []


def test_hole_is_told_and_cannot_be_mended(run, capsys):
    MetricPoint.objects.filter(metric__name="a", ordinal=3).delete()

    assert list(check_store(mend=True)) == [
        Fault(WHERE, "points 3 to 5 are missing or twice there")
    ]
    with pytest.raises(SystemExit):
        call_command("checkstore")
    assert "1 faults, 0 mended, 1 left." in capsys.readouterr().out


@pytest.mark.parametrize("data", [b"", b"\1", b"\x07", b"\1\xff\xff\xff\xff", b"\1\3\0\0\0abc"])
def test_unreadable_data_is_told(run, data):
    MetricPoint.objects.filter(metric__name="b").update(data=data)

    faults = list(check_store(mend=True))

    assert [fault.where for fault in faults] == ["proj/run-1/b"]
    assert "cannot be read" in faults[0].what or "points said" in faults[0].what


def test_metric_that_has_lost_all_its_points_is_told(run):
    MetricPoint.objects.filter(metric__name="b").delete()

    assert list(check_store(mend=True)) == [
        Fault("proj/run-1/b", "1 points were taken in, 0 are there")
    ]


def test_artifact_without_its_file_is_told(run):
    Artifact.objects.create(
        run=run, name="m.pt", size_bytes=1, sha256="0" * 64, content_type="x/y", storage_key="no/pe"
    )

    assert list(check_store()) == [Fault("proj/run-1/m.pt", "the artifact's file is gone")]


def test_command_tells_that_all_is_well(run, capsys):
    call_command("checkstore")

    assert capsys.readouterr().out == "0 faults, 0 mended, 0 left.\n"
