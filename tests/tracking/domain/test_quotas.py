"""A project's room: files are refused beyond it, points never."""

import time
from pathlib import Path
from threading import Thread

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, make_run
from tracking.domain import quotas
from tracking.domain.artifacts import store_artifact
from tracking.domain.quotas import find_quota, forget_room, limit_of, set_quota, take_room
from tracking.domain.trash import discard_runs, empty_trash
from tracking.errors import FileTooLarge, InvalidInput
from tracking.models import Artifact, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _store(settings, tmp_path: Path) -> None:
    forget_room()
    settings.MEDIA_ROOT = tmp_path


def keep(run: Run, name: str, size: int) -> Artifact:
    return store_artifact(run, ContentFile(bytes(size)), name=name)


def test_file_beyond_the_quota_is_refused_and_points_are_not():
    run = make_run()
    set_quota(run.project, 1_000)
    keep(run, "a", 900)

    with pytest.raises(FileTooLarge, match=r"The quota of project 'proj' is used up: 900 bytes of"):
        keep(run, "b", 200)

    log_points(run, {"loss": [1.0]})
    assert [one.name for one in Artifact.objects.all()] == ["a"]
    assert keep(run, "c", 100).size_bytes == 100


def test_same_bytes_again_need_no_room():
    run = make_run()
    set_quota(run.project, 1_000)
    first = keep(run, "a", 900)

    assert keep(run, "a", 900) == first


def test_quota_of_the_server_holds_where_a_project_has_none(settings):
    project = make_run().project
    settings.PROJECT_QUOTA_BYTES = 10

    limits = [limit_of(Project(quota_bytes=own)) for own in (None, 0, 5)]

    assert limits == [10, 0, 5]
    with pytest.raises(FileTooLarge):
        take_room(project, 11)


def test_room_is_summed_up_once(settings):
    settings.PROJECT_QUOTA_BYTES = 10**6
    project = make_run().project
    take_room(project, 1)

    with CaptureQueriesContext(connection) as queries:
        take_room(project, 1)

    assert len(queries) == 0
    assert find_quota(project).taken_bytes == 2


def test_room_is_summed_up_again_after_a_while(monkeypatch, settings):
    monkeypatch.setattr(quotas, "FRESH_S", 0.0)
    settings.PROJECT_QUOTA_BYTES = 100
    project = make_run().project

    take_room(project, 90)
    take_room(project, 90)  # the first file was never kept


def test_trash_takes_room_until_it_is_emptied():
    run = make_run()
    set_quota(run.project, 1_000)
    keep(run, "a", 900)
    discard_runs(Run.objects.all())
    again = make_run()

    with pytest.raises(FileTooLarge):
        keep(again, "a", 900)
    empty_trash(run.project)
    assert keep(again, "a", 900).size_bytes == 900


def test_quota_that_is_no_size_is_refused():
    with pytest.raises(InvalidInput):
        set_quota(make_run().project, -1)


@pytest.mark.parametrize(
    "path",
    ["/tracker/api/v1/projects/proj/runs/run-1/artifacts", "/api/experiments/{uid}/files"],
)
def test_doors_say_413_and_why(client, path):
    run = make_run()
    set_quota(run.project, 10)
    file = ContentFile(bytes(11), name="model.pt")

    answer = client.post(path.format(uid=run.uid), {"file": file, "name": "model.pt"})

    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("The quota of project 'proj' is used up: 0 bytes of")
    assert not Artifact.objects.exists()


def test_long_sum_holds_up_nobody_and_forgets_no_file(monkeypatch):
    """While the project's sum is made anew, files of it and of others are let in."""
    project, other = make_run().project, make_run(project="other").project
    set_quota(project, 1_000)
    set_quota(other, 1_000)
    for one in (project, other):
        find_quota(one)
    quotas._taken[project.pk].stale_at = time.monotonic()

    def sum_up(_):
        for one in (project, other):
            thread = Thread(target=take_room, args=(one, 100))
            thread.start()
            thread.join(5)
            assert not thread.is_alive()
        return 500

    monkeypatch.setattr(quotas, "weigh_bytes", sum_up)

    assert [find_quota(one).taken_bytes for one in (project, other)] == [600, 100]
