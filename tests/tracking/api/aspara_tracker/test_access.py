"""Alice owns, Bob is a teammate, Charlie is a stranger."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_run
from tests.people import make_person, share
from tests.tracking.api.aspara_tracker.conftest import RUN, RUNS
from tracking.enums import Role
from tracking.models import Artifact, Metric, Run, User

pytestmark = pytest.mark.django_db(transaction=True)

NOT_FOUND = (404, {"detail": "Project 'proj' not found"})
READ_ONLY = (404, {"detail": "You may not change project 'proj'."})
CALLS = [
    ("metrics", {"metrics": {"loss": 1}}),
    ("config", {"config": {"a": 1}}),
    ("summary", {"summary": {"a": 1}}),
    ("tags", {"tags": ["a"]}),
    ("finish", {"exit_code": 0}),
    ("artifacts", None),
]


@pytest.fixture
def alice() -> User:
    return make_person("alice")


@pytest.fixture
def run(alice) -> Run:
    run = make_run()
    run.project.owner = alice
    run.project.save()
    return Run.objects.select_related("project").get()


def post(user: User, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.post(path, body, format="json")
    return answer.status_code, answer.json()


def test_owner_and_teammate_may_log(run, alice):
    bob = make_person("bob")
    share(run.project, bob)

    for user in (alice, bob):
        assert post(user, f"{RUN}/metrics", {"metrics": {"loss": 1}}) == (200, {"status": "ok"})
    assert post(bob, RUNS, {"name": "bobs"})[0] == 200
    assert Run.objects.get(key="bobs").created_by == bob


@pytest.mark.parametrize(("call", "body"), CALLS)
def test_stranger_finds_nothing(run, call, body):
    assert post(make_person("charlie"), f"{RUN}/{call}", body or {}) == NOT_FOUND
    assert unchanged(run)


@pytest.mark.parametrize(("call", "body"), CALLS)
def test_viewer_changes_nothing(run, call, body):
    bob = make_person("bob")
    share(run.project, bob, Role.VIEWER)

    assert post(bob, f"{RUN}/{call}", body or {}) == READ_ONLY
    assert unchanged(run)


def test_stranger_is_told_that_the_name_is_taken(run):
    assert post(make_person("charlie"), RUNS, {"name": "mine"}) == (
        403,
        {"detail": "The project name 'proj' is taken; ask its owner to let you in."},
    )
    assert list(Run.objects.all()) == [run]


def test_public_project_is_not_everybodys_to_log_to(run):
    run.project.is_public = True
    run.project.save()

    assert post(make_person("charlie"), RUNS, {"name": "mine"}) == READ_ONLY
    assert list(Run.objects.all()) == [run]


def unchanged(run: Run) -> bool:
    stored = Run.objects.get()
    return stored.revision == run.revision and not (
        Metric.objects.exists() or Artifact.objects.exists()
    )
