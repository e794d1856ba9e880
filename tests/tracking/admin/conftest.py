"""Fixtures of the admin's tests: in open mode every request is the superuser's."""

import uuid

from django.urls import reverse
from django.utils import timezone

from tests.factories import log_points, make_run
from tests.people import make_person, share
from tracking.domain.tokens import create_token
from tracking.enums import ArtifactCategory
from tracking.models import Artifact, LogLine, Producer, Project, RowBlock, Run, SavedView

READ_ONLY = ["metric", "metricpoint", "producer", "rowblock", "logline"]
MODELS = ["user", "apitoken", "project", "run", "artifact", "savedview", *READ_ONLY]


def admin_path(model: str, page: str = "changelist", *ids: int) -> str:
    return reverse(f"admin:tracking_{model}_{page}", args=ids)


def make_artifact(run: Run, name: str, **fields: object) -> Artifact:
    """The row alone; what stores files is `store_artifact`."""
    defaults = {
        "category": ArtifactCategory.MODEL,
        "size_bytes": 2_048,
        "sha256": "0" * 64,
        "content_type": "application/octet-stream",
        "storage_key": uuid.uuid4().hex,
    }
    return Artifact.objects.create(run=run, name=name, **(defaults | fields))


def fill(count: int) -> Run:
    """`count` rows of every model, most of them in the first run; returns that one."""
    runs = [make_run(f"run-{place}", "proj-0", tags=["a", "b"]) for place in range(count)]
    first = runs[0]
    for place in range(count):
        person = make_person(f"person-{place}")
        share(first.project, person)
        create_token(person, name="job", can_write=True, project=first.project)
        if place:
            Project.objects.create(key=f"proj-{place}", name="Empty")
        log_points(first, {f"metric-{place}": [1.0, float("nan"), 3.0]})
        make_artifact(first, f"model-{place}.pt")
        Producer.objects.create(uuid=uuid.uuid4(), run=first, gaps=[{"count": 7}])
        RowBlock.objects.create(run=first, stream="rows", ordinal=place, count=1, data=b"abc")
        SavedView.objects.create(project=first.project, name=f"view-{place}", page="runs")
        LogLine.objects.create(run=first, seq=place, time=timezone.now(), message="epoch 1")
    return first
