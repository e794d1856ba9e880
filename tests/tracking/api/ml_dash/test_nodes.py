import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_run
from tracking.api.ml_dash.ids import experiment_id, folder_id, project_id
from tracking.dialects import zulu_iso
from tracking.domain.runs import finish_run
from tracking.enums import RunStatus, Source
from tracking.models import Artifact, Folder, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
NODES = "/api/namespaces/alice/nodes"


WORDS = {"description": "# Readme", "tags": ["best"], "bindrs": ["v1"]}


def create_as_the_client_does(call):
    """A project, its folders one by one, and the experiment in the last of them."""
    project = call("post", NODES, {"type": "PROJECT", "name": "vision", "slug": "vision"})[1]
    place = {"projectId": project["project"]["id"], "parentId": "ROOT"}
    for name in ("sweeps", "lr"):
        body = {"type": "FOLDER", "name": name, **place}
        place["parentId"] = call("post", NODES, body)[1]["node"]["id"]
    said = {"metadata": {"gpu": float("nan"), "n": 2**70}, **WORDS}
    return call("post", NODES, {"type": "EXPERIMENT", "name": "exp-1", **place, **said})


def test_experiment_is_created_as_the_client_does(call):
    status, answer = create_as_the_client_does(call)

    run = Run.objects.select_related("project").get()
    assert (status, answer["experiment"]) == (
        200,
        {
            "id": experiment_id(run),
            "name": "exp-1",
            **WORDS,
            "status": "RUNNING",
            "metadata": {"gpu": "NaN", "n": str(2**70)},
            "projectId": project_id(run.project),
            "displayPath": "alice/vision/sweeps/lr/exp-1",
            "startedAt": zulu_iso(run.started_at),
            "endedAt": None,
            "createdAt": zulu_iso(run.created_at),
            "updatedAt": zulu_iso(run.updated_at),
            "uid": str(run.uid),
            "key": run.key,
        },
    )
    assert answer["node"]["id"] == answer["node"]["experimentId"] == experiment_id(run)
    assert answer["project"]["id"] == project_id(run.project)


def test_created_experiment_is_a_run_as_any_other(call):
    create_as_the_client_does(call)

    run = Run.objects.select_related("project").get()
    project = run.project
    assert (project.namespace, project.name, project.key) == ("alice", "vision", "alice~vision")
    assert (run.folder, run.name, run.key) == ("sweeps/lr", "exp-1", "sweeps~lr~exp-1")
    assert (run.source, run.created_by.username) == (Source.ML_DASH, "alice")


@pytest.mark.parametrize("path", [NODES, f"{NODES}/"])
def test_upsert_joins_what_is_there_and_makes_it_run_again(call, experiment, path):
    folder = Folder.objects.create(project=experiment.project, path="sweeps/lr")
    finish_run(experiment, status=RunStatus.FAILED, exit_code=1)
    body = {
        "type": "EXPERIMENT",
        "name": "exp",
        "parentId": folder_id(folder),
        "projectId": project_id(experiment.project),
    }

    status, answer = call("post", path, body)

    experiment.refresh_from_db()
    assert (status, answer["node"]["id"]) == (200, experiment_id(experiment))
    assert (experiment.status, experiment.exit_code, experiment.ended_at) == ("running", None, None)
    assert answer["experiment"]["status"] == "RUNNING"


def test_project_is_made_by_its_slug(call):
    body = {"type": "EXPERIMENT", "name": "exp", "parentId": "ROOT", "projectSlug": "vision"}

    first, second = call("post", NODES, body), call("post", NODES, body)

    assert first[1]["experiment"]["displayPath"] == "alice/vision/exp"
    assert (second[0], second[1]["node"]["id"]) == (200, first[1]["node"]["id"])
    assert (Run.objects.count(), Project.objects.get().key) == (1, "alice~vision")


def test_empty_words_are_as_none(call):
    words = {"description": "", "parentId": "", "projectId": None, "tags": None, "metadata": None}
    body = {"type": "EXPERIMENT", "name": "exp", "projectSlug": "vision", **words}

    assert call("post", NODES, {"type": "PROJECT", "name": "vision", "description": ""})[0] == 200
    assert call("post", NODES, body)[1]["experiment"]["description"] is None


def test_description_is_for_a_project_that_has_none(call):
    for text in ("first", "second"):
        body = {"type": "PROJECT", "name": "vision", "description": text}
        assert call("post", NODES, body)[1]["project"]["description"] == "first"


def test_plain_project_of_the_owner_is_meant_too(call, people):
    run = make_run(project="proj")
    Project.objects.update(owner=people["alice"])

    answer = call("post", NODES, {"type": "PROJECT", "name": "proj", "slug": "proj"})[1]

    assert answer["project"]["id"] == project_id(run.project)
    assert answer["project"]["namespace"] == {"slug": "alice"}


def test_folders_are_numbered_once(call, experiment):
    body = {"type": "FOLDER", "projectId": project_id(experiment.project), "name": "models"}
    in_run = body | {
        "experimentId": experiment_id(experiment),
        "parentId": experiment_id(experiment),
    }

    answers = [call("post", NODES, one)[1]["node"] for one in (body, body, in_run, in_run)]

    ours, its = Folder.objects.order_by("pk")
    assert [one["id"] for one in answers] == [folder_id(ours)] * 2 + [folder_id(its)] * 2
    assert (ours.run, its.run, its.path) == (None, experiment, "models")
    assert answers[2]["experimentId"] == experiment_id(experiment)
    below = call("post", NODES, in_run | {"parentId": folder_id(its), "name": "best"})[1]["node"]
    assert (below["name"], below["pPath"]) == ("best", "/models/best")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "name: This field is required."),
        ({"type": "ROBOT", "name": "a"}, 'type: "ROBOT" is not a valid choice.'),
        ({"type": "FILE", "name": "a"}, "type: a file comes as a form, with its bytes in `file`."),
        ({"type": "PROJECT", "name": "a\nb"}, "name has control characters in it."),
        ({"type": "PROJECT", "name": "a\0b"}, "name has a NUL character in it."),
        ({"type": "PROJECT", "name": 7}, "name must be text."),
        ({"type": "EXPERIMENT", "name": "x" * 251}, "name has 1 to 250 characters."),
        ({"type": "EXPERIMENT", "name": "a"}, "projectId or projectSlug is required."),
        ({"type": "EXPERIMENT", "name": "a", "tags": "b"}, "tags must be a list of texts."),
        ({"type": "EXPERIMENT", "name": "a", "metadata": [1]}, "metadata must be an object."),
        ([], "Invalid data. Expected a dictionary, but got list."),
    ],
)
def test_malformed_nodes_are_refused(call, body, detail):
    assert call("post", NODES, body) == (400, {"detail": detail})
    assert (Project.objects.count(), Folder.objects.count()) == (0, 0)


def test_folders_go_nowhere_else(call, experiment, people):
    other = Folder.objects.create(project=make_run(project="other").project, path="a")
    Project.objects.filter(key="other").update(owner=people["alice"])
    its = Folder.objects.create(project=experiment.project, run=experiment, path="models")
    body = {"name": "a", "projectId": project_id(experiment.project)}
    refused = {"detail": "parentId: it is no folder of this project."}
    in_folder = body | {"type": "FOLDER", "parentId": folder_id(other)}

    assert call("post", NODES, in_folder) == (400, refused)
    for folder in (other, its):
        lying = body | {"type": "EXPERIMENT", "parentId": folder_id(folder)}
        assert call("post", NODES, lying) == (400, refused)
    up = body | {"type": "FOLDER", "parentId": "ROOT", "name": "../x"}
    assert call("post", NODES, up)[0] == 400


def test_folder_leads_nobody_into_a_run_that_he_may_only_see(call, client, tokens, experiment):
    """Vera has a project of her own, and a folder that claims to be of Alice's experiment."""
    project = {"type": "PROJECT", "name": "mine"}
    own = call("post", "/api/namespaces/vera/nodes", project, who="vera")[1]["project"]["id"]
    folder = {"type": "FOLDER", "name": "x", "projectId": own}
    refused = {"detail": "You may not change project 'alice~proj'."}
    for parent in ("ROOT", own, experiment_id(experiment)):
        body = folder | {"experimentId": experiment_id(experiment), "parentId": parent}
        assert call("post", NODES, body, who="vera") == (404, refused)

    stale = Folder.objects.create(
        project=Project.objects.get(name="mine"), run=experiment, path="x"
    )
    file = {"file": SimpleUploadedFile("w", b"w"), "name": "w", "parentId": folder_id(stale)}
    headers = {"Authorization": f"Bearer {tokens['vera']}"}

    answer = client.post(NODES, {"type": "FILE", **file}, headers=headers)

    assert (answer.status_code, Artifact.objects.count()) == (404, 0)


def test_folder_of_another_project_s_run_is_refused(call, experiment):
    own = call("post", NODES, {"type": "PROJECT", "name": "mine"})[1]["project"]["id"]
    body = {"type": "FOLDER", "name": "x", "projectId": own, "parentId": own}

    answer = call("post", NODES, body | {"experimentId": experiment_id(experiment)})

    assert answer == (400, {"detail": "parentId: it is no folder of this project."})


def test_node_is_described(call, experiment):
    status, node = call("get", f"/api/nodes/{experiment_id(experiment)}/", who="vera")

    assert (status, node["type"], node["name"], node["pPath"], node["status"]) == (
        200, "EXPERIMENT", "exp", "/sweeps/lr", "RUNNING",
    )  # fmt: skip
    assert call("get", f"/api/nodes/{project_id(experiment.project)}")[1]["type"] == "PROJECT"
    assert call("get", f"/api/nodes/{experiment_id(experiment)}", who="charlie")[0] == 404


@pytest.mark.parametrize(
    ("told", "status"),
    [("COMPLETED", "completed"), ("failed", "failed"), ("CANCELLED", "cancelled")],
)
def test_status_ends_an_experiment(call, experiment, told, status):
    answer = call("patch", f"/api/nodes/{experiment_id(experiment)}", {"status": told})

    experiment.refresh_from_db()
    assert (answer[0], answer[1]["status"]) == (200, told.upper())
    assert (experiment.status, experiment.ended_at is None) == (status, False)
    call("patch", f"/api/nodes/{experiment_id(experiment)}", {"status": "RUNNING"})
    experiment.refresh_from_db()
    assert (experiment.status, experiment.ended_at) == ("running", None)


def test_words_of_an_experiment_are_changed(call, experiment):
    path = f"/api/nodes/{experiment_id(experiment)}"

    assert call("patch", path, {"description": "New", "tags": ["x"]})[0] == 200
    experiment.refresh_from_db()
    assert (experiment.readme, experiment.tags, experiment.status) == ("New", ["x"], "running")


def test_status_is_for_those_who_may_write(call, experiment):
    path = f"/api/nodes/{experiment_id(experiment)}"
    answers = {who: call("patch", path, {"status": "FAILED"}, who=who)[0] for who in PEOPLE}

    assert answers == {"alice": 200, "bob": 200, "vera": 404, "charlie": 404}
    assert call("patch", path, {"status": "DONE"}) == (
        400,
        {"detail": "status must be one of RUNNING, COMPLETED, FAILED, CANCELLED."},
    )


PEOPLE = ("alice", "bob", "vera", "charlie")


def test_only_experiments_and_files_are_changed_and_only_files_deleted(call, experiment):
    project = f"/api/nodes/{project_id(experiment.project)}"

    assert call("patch", project, {"status": "FAILED"})[0] == 400
    assert call("delete", project)[0] == 404
    assert call("delete", f"/api/nodes/{experiment_id(experiment)}")[0] == 404
    assert Run.objects.count() == 1


def test_namespace_of_somebody_else_is_refused_where_its_project_is_invisible(call, experiment):
    body = {"type": "PROJECT", "name": "proj"}

    status, answer = call("post", NODES, body, who="charlie")

    assert (status, answer["detail"]) == (
        403,
        "The project 'alice/proj' is taken; ask its owner to let you in.",
    )


def test_creating_takes_the_same_queries_with_more_experiments(call, client, tokens, experiment):
    def count():
        body = {"type": "EXPERIMENT", "name": "new", "projectSlug": "proj"}
        call("post", NODES, body)
        with CaptureQueriesContext(connection) as queries:
            call("post", NODES, body)
        return len(queries)

    first = count()
    for n in range(3):
        call("post", NODES, {"type": "EXPERIMENT", "name": f"n{n}", "projectSlug": "proj"})

    assert count() == first
