"""Alice owns, Bob is a teammate, Charlie is a stranger."""

import pytest
from rest_framework.test import APIClient

from tests.factories import log_points, make_run
from tests.people import make_person, share
from tests.tracking.api.aspara_dashboard.conftest import keep_file
from tracking.enums import Role
from tracking.models import Project, Run, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_files")]
PROJECT = "/api/projects/proj"
RUN = f"{PROJECT}/runs/run-1"
READS = [
    f"{PROJECT}/runs",
    f"{PROJECT}/runs/metrics?runs=run-1",
    f"{PROJECT}/metadata",
    RUN,
    f"{RUN}/metrics",
    f"{RUN}/params",
    f"{RUN}/metadata",
    f"{RUN}/artifacts/download",
]
WRITES = [
    ("put", f"{PROJECT}/metadata"),
    ("put", f"{RUN}/metadata"),
    ("delete", RUN),
]


@pytest.fixture
def run() -> Run:
    run = make_run()
    Project.objects.update(owner=make_person("alice"))
    log_points(run, {"loss": [1.0]})
    keep_file(run, "a", b"1")
    return run


def ask(user: User, method: str, path: str) -> tuple[int, object]:
    client = APIClient()
    client.force_authenticate(user)
    options = {"data": {"notes": "changed"}, "format": "json"} if method == "put" else {}
    answer = getattr(client, method)(path, **options)
    return answer.status_code, None if answer.status_code == 200 else answer.json()


@pytest.mark.parametrize("path", READS)
def test_viewer_reads_and_stranger_finds_nothing(run, path):
    bob = make_person("bob")
    share(run.project, bob, Role.VIEWER)

    assert ask(bob, "head", path)[0] == 200
    assert ask(make_person("charlie"), "get", path) == (404, {"detail": "Project 'proj' not found"})


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_viewer_and_stranger_change_nothing(run, method, path):
    bob = make_person("bob")
    share(run.project, bob, Role.VIEWER)

    refused = {"detail": "You may not change project 'proj'."}
    assert ask(bob, method, path) == (404, refused)
    assert ask(make_person("charlie"), method, path) == (
        404,
        {"detail": "Project 'proj' not found"},
    )
    assert (Run.objects.get().notes, Project.objects.get().notes) == ("", "")


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_owner_and_editor_may_change(run, method, path, name):
    share(run.project, make_person("bob"), Role.EDITOR)

    assert ask(User.objects.get(username=name), method, path) == (200, None)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_project_is_its_owners_to_delete(run, role):
    bob = make_person("bob")
    share(run.project, bob, role)

    refused = {"detail": "Only owners may do this to project 'proj'."}
    assert ask(bob, "delete", PROJECT) == (404, refused)
    assert ask(make_person("charlie"), "delete", PROJECT)[0] == 404
    assert Run.objects.exists()
    assert ask(User.objects.get(username="alice"), "delete", PROJECT) == (200, None)
    assert not Project.objects.exists()
