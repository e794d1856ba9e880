"""The list of projects."""

import pytest

from tests.factories import make_run
from tracking.domain.runs import archive_runs
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db
LIST = "/api/projects"


def names(answer) -> list[str]:
    return [project["name"] for project in answer.json()]


def test_project_is_described(client):
    make_run("a")
    make_run("b")
    archive_runs(Run.objects.filter(key="b"))
    Project.objects.update(name="My project", tags=["v2"])

    (project,) = client.get(LIST).json()

    assert project | {"created_at": "", "updated_at": ""} == {
        "name": "proj",
        "display_name": "My project",
        "description": "",
        "tags": ["v2"],
        "run_count": 1,
        "created_at": "",
        "updated_at": "",
    }


def test_list_comes_in_pieces_by_name(client):
    for name in "cab":
        make_run(project=name)

    first, rest = client.get(f"{LIST}/?limit=2"), client.get(f"{LIST}?limit=2&offset=2")

    assert (names(first), names(rest)) == (["a", "b"], ["c"])
    assert first["X-Total-Count"] == "3"
    assert 'offset=2>; rel="next"' in first["Link"]


def test_empty_project_has_no_runs(client):
    Project.objects.create(key="empty", name="Empty")

    assert client.get(LIST).json()[0]["run_count"] == 0


def test_number_of_queries_is_constant(client, count_queries):
    make_run(project="a")
    count_queries(LIST)
    one = count_queries(LIST)
    make_run(project="b")
    make_run(project="c")

    assert count_queries(LIST) == one


def test_bad_limit_is_400(client):
    answer = client.get(f"{LIST}?limit=0")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("limit: ")
