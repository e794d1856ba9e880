import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import keep_file, log_points
from tests.people import share
from tracking.domain.projects import create_project
from tracking.domain.tokens import create_token
from tracking.enums import Role
from tracking.models import Artifact, MetricPoint, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = ["id", "name", "description", "owner_id", "is_public", "created_at", "updated_at"]
FORBIDDEN = (403, {"detail": "Not enough permissions"})


def gone(project):
    return 404, {"detail": f"Project {project.pk} not found"}


def test_documented_project_is_created_and_read(call, people):
    body = {"name": "My Project", "description": "A machine learning project", "is_public": False}

    status, made = call("post", "/projects/", body)

    stored = Project.objects.get()
    assert (status, [*made]) == (200, KEYS)
    assert made == {
        "id": stored.pk,
        "name": "My Project",
        "description": "A machine learning project",
        "owner_id": people["alice"].pk,
        "is_public": False,
        "created_at": stored.created_at.replace(tzinfo=None).isoformat(),
        "updated_at": stored.updated_at.replace(tzinfo=None).isoformat(),
    }
    assert stored.key == "my-project"
    for path in (f"/projects/{stored.pk}", f"/projects/{stored.pk}/"):
        assert call("get", path) == (200, made)
    for path in ("/projects/", "/projects", "/projects/?skip=0&limit=10"):
        assert call("get", path) == (200, [made])


def test_name_alone_is_enough_and_nulls_are_not_given(call):
    nulls = dict.fromkeys(["description", "is_public", "tags"])

    assert call("post", "/projects/", {"name": "a"})[1]["description"] == ""
    assert call("post", "/projects/", {"name": "b", **nulls})[0] == 200


def test_names_are_free_and_keys_are_made_of_them(call):
    names = ["My Project", "my project", "my_project", "Ünï ©ode", "项目", "default", "2024"]

    for name in names:
        assert call("post", "/projects/", {"name": name})[1]["name"] == name

    assert list(Project.objects.order_by("pk").values_list("key", flat=True)) == [
        "my-project",
        "my-project-2",
        "my_project",
        "uni-ode",
        "project",
        "project-default",
        "2024",
    ]


def test_own_name_is_used_once_and_anothers_again(call):
    call("post", "/projects/", {"name": "a"})

    assert call("post", "/projects/", {"name": "a"}) == (
        400,
        {"detail": "Project with this name already exists"},
    )
    assert call("post", "/projects/", {"name": "a"}, who="bob")[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "null",
        "{",
        {"name": ""},
        {"name": " "},
        {"name": None},
        {"name": 5},
        {"name": "a\0"},
        {"name": "x" * 251},
        {"name": "a", "is_public": "perhaps"},
        {"name": "a", "description": 5},
        {"name": "a", "description": "x" * 100_001},
        {"name": "a", "tags": "b"},
        "[" * 100_000,
    ],
)
def test_nonsense_is_no_project(call, body):
    status, answer = call("post", "/projects/", body)

    assert (status, [*answer]) == (400, ["detail"])
    assert not Project.objects.exists()


def test_nobody_gives_a_project_to_somebody_else(call, people, project):
    wishes = {"owner_id": people["charlie"].pk, "owner": people["charlie"].pk, "id": 9, "key": "x"}

    made = call("post", "/projects/", {"name": "new", **wishes})[1]
    changed = call("put", f"/projects/{project.pk}", wishes)[1]

    assert (made["owner_id"], changed["owner_id"]) == (people["alice"].pk,) * 2
    assert set(Project.objects.values_list("key", flat=True)) == {"my-project", "new"}


def test_documented_update_changes_what_is_given(call, project):
    body = {"name": "Updated Project Name", "description": "Updated description"}

    status, changed = call("put", f"/projects/{project.pk}", body)

    assert (status, changed["name"]) == (200, "Updated Project Name")
    assert call("put", f"/projects/{project.pk}", {"description": ""})[1]["description"] == ""
    project.refresh_from_db()
    assert (project.name, project.key) == ("Updated Project Name", "my-project")


def test_renaming_to_a_name_of_ones_own_is_refused(call, project, people):
    create_project("Other", user=people["alice"])

    assert call("put", f"/projects/{project.pk}", {"name": "Other"})[0] == 400
    assert call("put", f"/projects/{project.pk}", {"name": "My Project"})[0] == 200


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("alice", (200, 200, 200, 200)),
        ("bob", (200, 200, 403, 403)),
        ("vera", (200, 403, 403, 403)),
        ("charlie", (404, 404, 404, 404)),
    ],
)
def test_who_may_what(call, project, who, expected):
    read, write, share, delete = expected
    path = f"/projects/{project.pk}"

    assert call("get", path, who=who)[0] == read
    assert call("put", path, {"description": "x"}, who=who)[0] == write
    assert call("put", path, {"is_public": True}, who=who)[0] == share
    answer = call("delete", path, who=who)

    answers = {200: (200, {"message": "Project deleted successfully"}), 403: FORBIDDEN}
    assert answer == answers.get(delete, gone(project))


def test_public_project_may_be_read_and_not_changed(call, project):
    Project.objects.update(is_public=True)
    path = f"/projects/{project.pk}"

    assert call("get", path, who="charlie")[0] == 200
    assert [one["id"] for one in call("get", "/projects/", who="charlie")[1]] == [project.pk]
    assert call("put", path, {"description": "x"}, who="charlie") == FORBIDDEN
    assert (
        call("post", f"/runs/?project_id={project.pk}", {"name": "r"}, who="charlie") == FORBIDDEN
    )


def test_deleted_project_takes_all_with_it(call, project, run, settings):
    settings.TRASH_DAYS = 0
    log_points(run, {"loss": [1.0]})
    artifact = keep_file(run, "a.txt", b"bytes")

    call("delete", f"/projects/{project.pk}")

    assert not Run.objects.exists()
    assert not MetricPoint.objects.exists()
    assert not Artifact.objects.exists()
    assert not default_storage.exists(artifact.storage_key)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/projects/0", 404),
        ("/projects/999", 404),
        ("/projects/99999999999999999999999999", 404),
        ("/projects/abc", 400),
        ("/projects/-1", 400),
        ("/projects/1.0", 400),
        ("/projects/%D9%A3", 400),
    ],
)
def test_ids_of_nothing(client, call, project, path, status):
    assert call("put", path, {"description": "x"})[0] == status


@pytest.mark.parametrize(
    "query", ["skip=-1", "limit=-1", "limit=1001", "skip=x", "skip=99999999999999999999"]
)
def test_pieces_have_bounds(call, query):
    assert call("get", f"/projects/?{query}")[0] == 400


def test_list_comes_in_pieces(call, people):
    for number in range(5):
        create_project(f"p{number}", user=people["alice"])

    names = [one["name"] for one in call("get", "/projects/?skip=1&limit=2")[1]]

    assert names == ["p1", "p2"]
    assert call("get", "/projects/?skip=9")[1] == call("get", "/projects/?limit=0")[1] == []


def test_token_for_one_project_knows_no_other(client, project, people):
    create_project("Other", user=people["alice"])
    _, secret = create_token(people["alice"], name="job", can_write=True, project=project)
    headers = {"Authorization": f"Bearer {secret}"}

    listed = client.get("/projects/", headers=headers).json()
    made = client.post("/projects/", {"name": "x"}, "application/json", headers=headers)

    assert [one["id"] for one in listed] == [project.pk]
    assert (made.status_code, made.json()) == FORBIDDEN


def test_list_takes_as_many_queries_for_three_as_for_one(call, people):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert call("get", "/projects/")[0] == 200
        return len(queries)

    create_project("a", user=people["alice"])
    with_one = count()
    for name in "bc":
        create_project(name, user=people["alice"])

    assert count() == with_one


def test_new_name_tells_an_editor_nothing_of_its_owners_other_projects(call, people):
    team = create_project("team", user=people["alice"])
    create_project("secret", user=people["alice"])
    share(team, people["bob"], Role.EDITOR)
    path, body = f"/projects/{team.pk}", {"name": "secret"}

    taken = (400, {"detail": "Project with this name already exists"})
    assert call("put", path, body) == taken
    assert call("put", path, body, who="bob")[0] == 200
