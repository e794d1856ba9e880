"""What is counted of what is written."""

import uuid

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError

from tests.factories import make_run
from tracking import telemetry
from tracking.domain import writer
from tracking.domain.access import local_user
from tracking.domain.artifacts import store_artifact
from tracking.domain.batch import parse_batch
from tracking.domain.ingest import record_batch
from tracking.request_log import Request, _current, request_id

pytestmark = pytest.mark.django_db(transaction=True)


def figure(name: str, **labels: str) -> float:
    return telemetry.REGISTRY.get_sample_value(name, labels) or 0.0


def make_batch(producer: str, seq: int, values: list[float]):
    return parse_batch(
        {
            "format": 1,
            "project": "proj",
            "run": {"uid": producer, "key": "counted"},
            "producer": producer,
            "first_seq": seq,
            "last_seq": seq + len(values) - (0 if seq == 1 else 1),
            "keys": ["loss"],
            "n": [len(values)],
            "s": list(range(len(values))),
            "v": values,
            "t": [1] * len(values),
            "q": [number + (seq == 1) for number in range(len(values))],
            "events": [[1, "start", {}]] if seq == 1 else [],
        }
    )


def test_points_count_once_however_often_their_batch_comes():
    batch = make_batch(str(uuid.uuid4()), 1, [0.5, 0.25])
    points, batches = figure("runyard_ingest_points_total"), figure("runyard_ingest_batches_total")

    for _ in range(2):
        writer.write(lambda: record_batch(batch, user=local_user()))

    assert figure("runyard_ingest_points_total") == points + 2
    assert figure("runyard_ingest_batches_total") == batches + 2


def test_commits_and_errors_are_counted():
    labels = {"kind": "OperationalError"}
    commits, jobs = figure("runyard_commit_seconds_count"), figure("runyard_commit_jobs_sum")
    errors = figure("runyard_database_errors_total", **labels)

    writer.write(lambda: None)
    with pytest.raises(OperationalError):
        writer.write(fail)

    assert figure("runyard_commit_seconds_count") == commits + 1
    assert figure("runyard_commit_jobs_sum") == jobs + 1
    assert figure("runyard_database_errors_total", **labels) == errors + 1
    assert figure("runyard_writer_waiting") == 0


def fail() -> None:
    raise OperationalError("the database is away")


def test_bytes_of_artifacts_are_counted(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    before = figure("runyard_artifact_bytes_total")

    store_artifact(make_run(), ContentFile(b"12345"), name="a.txt")

    assert figure("runyard_artifact_bytes_total") == before + 5


def test_job_of_the_writer_knows_the_request_it_is_for():
    token = _current.set(Request("from-here"))
    try:
        inside = writer.write(request_id)
    finally:
        _current.reset(token)

    assert (inside, writer.write(request_id)) == ("from-here", "")
