import pytest

from tests.factories import make_run
from tracking.api.ml_dash.ids import experiment_id, project_id
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("uses_uid", [True, False])
def test_parameters_are_merged_and_read(call, experiment, url, slash, uses_uid):
    path = f"/api/experiments/{experiment.uid if uses_uid else experiment_id(experiment)}"
    path = f"{path}/parameters{slash}"

    first = call("post", path, {"data": {"lr": 0.1, "model.layers": 3}})
    second = call(
        "post", path, {"data": {"lr": float("nan"), "big": 2**70, "n\0": [1, {"a": None}]}}
    )

    assert first[1]["data"] == {"lr": 0.1, "model.layers": 3}
    assert second[1]["data"] == {
        "lr": "NaN",
        "model.layers": 3,
        "big": str(2**70),
        "n\ufffd": [1, {"a": None}],
    }
    assert second[1]["version"] > first[1]["version"]
    assert call("get", path, who="vera") == (200, second[1])


def test_nested_parameters_are_read_flat(call, experiment, url):
    Run.objects.update(config={"model": {"layers": 3}, "tags": ["a"]})

    assert call("get", f"{url}/parameters")[1]["data"] == {"model.layers": 3, "tags": ["a"]}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("[", "JSON parse error - Expecting value: line 1 column 2 (char 1)"),
        ({}, "data: This field is required."),
        ({"data": [1]}, "data must be an object."),
        ({"data": None}, "data: This field may not be null."),
    ],
)
def test_malformed_parameters_are_refused(call, url, body, detail):
    assert call("post", f"{url}/parameters", body) == (400, {"detail": detail})
    assert call("get", f"{url}/parameters")[1]["data"] == {}


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("vera", 404), ("charlie", 404)])
def test_parameters_are_for_those_who_may_write(call, url, who, status):
    assert call("post", f"{url}/parameters", {"data": {"a": 1}}, who=who)[0] == status
    data = call("get", f"{url}/parameters")[1]["data"]
    assert data == ({"a": 1} if status == 200 else {})


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [
        ("alice/vision/sweeps/lr/exp", "sweeps/lr"),
        ("/alice/vision/exp/", ""),
        ("sweeps/lr", "sweeps/lr"),
        (None, ""),
    ],
)
def test_first_releases_create_experiments(call, people, prefix, folder):
    body = {"name": "exp", "prefix": prefix, "description": "words", "tags": ["a"]}

    status, answer = call("post", "/api/projects/vision/experiments", body)

    run = Run.objects.get()
    assert (status, answer["experiment"]["id"]) == (200, experiment_id(run))
    assert (run.project.key, run.folder, run.name) == ("alice~vision", folder, "exp")
    assert (run.readme, run.tags) == ("words", ["a"])


def test_first_releases_refuse_ways_out(call, people):
    body = {"name": "exp", "prefix": "alice/vision/../exp"}

    assert call("post", "/api/projects/vision/experiments", body)[0] == 400
    assert Run.objects.count() == 0


def test_status_is_told_as_the_first_releases_do(call, experiment, url):
    status, answer = call("patch", f"{url}/status", {"status": "COMPLETED"})

    assert (status, answer["experiment"]["status"]) == (200, "COMPLETED")
    assert call("get", url)[1]["experiment"] == answer["experiment"]
    assert call("patch", f"{url}/status", {"status": 1})[0] == 400
    assert call("patch", f"{url}/status", {"status": "FAILED"}, who="vera")[0] == 404


def test_project_is_deleted_by_its_number(call, experiment):
    path = f"/api/projects/{project_id(experiment.project)}"

    assert call("delete", path, who="bob")[0] == 404
    assert call("delete", path, who="charlie")[0] == 404
    assert call("delete", path) == (
        200,
        {
            "message": "Project 'proj' deleted successfully",
            "projectId": project_id(experiment.project),
            "deleted": 1,
            "experiments": 1,
        },
    )
    assert Project.objects.count() == 0


def test_project_of_that_key_comes_first(call, experiment, people):
    key = project_id(experiment.project)
    make_run(project=key)
    Project.objects.filter(key=key).update(owner=people["alice"])

    assert call("delete", f"/api/projects/{key}/") == (
        200,
        {"message": f"Project '{key}' deleted successfully"},
    )
    assert Project.objects.get() == experiment.project


def test_nobody_is_asked_for_a_token(call, experiment, url, settings):
    settings.ACCESS = "login"

    assert call("get", f"{url}/parameters", who="")[0] == 401
    assert call("post", f"{url}/metrics/a/append-batch", {"dataPoints": []}, who="")[0] == 401
