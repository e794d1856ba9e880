import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import keep_file, log_lines, log_rows, make_run
from tracking.api.ml_dash.ids import experiment_id, folder_id, project_id
from tracking.api.ml_dash.shapes import write_project
from tracking.domain.runs import RunStart, open_run_at_path
from tracking.models import Folder, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def whole(experiment, settings, tmp_path):
    """An experiment with something of everything."""
    settings.MEDIA_ROOT = tmp_path
    log_rows(experiment, {"a": 1}, {"a": 2})
    log_rows(experiment, {"a": 1}, stream="")
    log_rows(experiment, {"a": 1}, stream="tracks/pose")
    log_lines(experiment, "one", "two")
    keep_file(experiment, "a.txt", b"x", path="models")
    Run.objects.update(config={"lr": 0.1})
    return experiment


def add_run(experiment, name, folder=""):
    start = RunStart(key=name, name=name, folder=folder)
    return open_run_at_path(experiment.project, start, user=experiment.created_by)[0]


def test_who_one_is(graph, people):
    people["alice"].first_name, people["alice"].last_name = "Alice", "Liddell"
    people["alice"].save()

    assert graph("GetCurrentUser") == {
        "me": {
            "id": str(people["alice"].pk),
            "username": "alice",
            "email": "",
            "name": "Alice Liddell",
            "given_name": "Alice",
            "family_name": "Liddell",
            "picture": None,
        }
    }
    assert graph("GetMyNamespace", who="bob")["me"]["username"] == "bob"


@pytest.mark.parametrize("slash", ["", "/"])
def test_operation_without_a_name_is_known_by_its_field(call, people, slash):
    status, answer = call("post", f"/graphql{slash}", {"query": "{ me { username } }"})

    assert (status, answer["data"]["me"]["username"]) == (200, "alice")
    named = {"query": "query X { y }", "operationName": "GetMyNamespace", "variables": None}
    assert call("post", "/graphql", named)[1] == answer


def test_projects_of_a_namespace(graph, experiment, people):
    own = make_run(project="plain").project
    Project.objects.filter(pk=own.pk).update(owner=people["alice"])
    make_run(project="others")

    found = graph("GetProject", namespace="alice")["namespace"]

    assert found["slug"] == "alice"
    assert [(one["id"], one["slug"]) for one in found["projects"]] == [
        (project_id(own), "plain"), (project_id(experiment.project), "proj"),
    ]  # fmt: skip
    assert graph("GetProject", who="charlie", namespace="alice")["namespace"]["projects"] == []
    assert graph("GetProject", namespace="new")["namespace"]["projects"] == []


def test_what_hangs_on_an_experiment(graph, whole):
    expected = {"slug": "proj", "name": "proj", "namespace": {"slug": "alice"}}
    for name in ("GetExperimentProject", "GetExpInfo"):
        found = graph(name, experimentId=experiment_id(whole))["experimentById"]
        assert found["projectId"] == project_id(whole.project)
        assert {key: found["project"][key] for key in expected} == expected

    found = graph("GetExperiment", id=experiment_id(whole))["experimentById"]
    assert (found["name"], found["status"], found["trackCount"]) == ("exp", "RUNNING", 1)
    assert found["logMetadata"] == {"totalLogs": 2}
    assert found["metrics"] == [
        {"name": "None", "metricMetadata": {"totalDataPoints": "1"}},
        {"name": "train", "metricMetadata": {"totalDataPoints": "2"}},
    ]
    assert [file["physicalFile"]["filename"] for file in found["files"]] == ["a.txt"]
    assert found["parameters"] == {"id": experiment_id(whole), "data": {"lr": 0.1}}


def test_node_of_an_experiment(graph, experiment):
    assert graph("GetExperimentNode", experimentId=experiment_id(experiment)) == {
        "experimentNode": {
            "id": experiment_id(experiment),
            "experimentId": experiment_id(experiment),
        }
    }


def make_node(name, kind, node_id, **more):
    node = {"id": node_id, "name": name, "type": kind, "pPath": "/", "parentId": None}
    is_run = kind == "EXPERIMENT"
    return node | {"experimentId": node_id if is_run else None, "children": []} | more


def test_tree_of_a_project(graph, experiment):
    folder = Folder.objects.create(project=experiment.project, path="sweeps")
    top = add_run(experiment, "top")

    trees = [
        graph("GetExperimentPath", namespaceSlug="alice", projectSlug="proj"),
        graph("GetProjectHierarchy", namespaceSlug="alice", projectSlug="proj"),
        graph("GetExperimentNode", projectId=project_id(experiment.project), experimentId="x"),
    ]

    leaf = make_node("exp", "EXPERIMENT", experiment_id(experiment), pPath="/sweeps/lr")
    inner = {"pPath": "/sweeps", "parentId": folder_id(folder), "children": [leaf]}
    sweeps = make_node("sweeps", "FOLDER", folder_id(folder))
    assert trees[0] == trees[1] == trees[2]
    assert trees[0]["project"]["nodes"] == [
        make_node("top", "EXPERIMENT", experiment_id(top)),
        sweeps | {"children": [make_node("lr", "FOLDER", None, **inner)]},
    ]


def test_project_that_is_not_there_has_an_empty_tree(graph, experiment):
    for name in ("GetExperimentPath", "GetProjectHierarchy"):
        answer = graph(name, namespaceSlug="alice", projectSlug="no")
        assert answer == {"project": {"nodes": []}}


def test_files_come_by_pages(graph, whole):
    keep_file(whole, "b.txt", b"y")

    found = graph(
        "ListExperimentFilesPaginated", experimentId=experiment_id(whole), limit=1, offset=1
    )["experimentById"]["filesPaginated"]

    assert (found["totalCount"], found["hasMore"]) == (2, False)
    assert [file["name"] for file in found["files"]] == ["b.txt"]


def test_projects_come_by_pages(graph, experiment):
    page = graph("ProjectsPaginated", namespaceSlug="alice", limit=50, offset=0)

    assert page == {
        "projectsPaginated": {
            "projects": [write_project(experiment.project) | {"experimentCount": 1}],
            "totalCount": 1,
            "hasMore": False,
        }
    }
    assert graph("ProjectsPaginated", namespaceSlug=None, limit=50, offset=0) == page


def test_experiments_come_by_pages_and_status(graph, experiment):
    for name in ("b", "c"):
        add_run(experiment, name)
    Run.objects.filter(name="b").update(status="failed")

    def names(**variables):
        variables = {"namespaceSlug": "alice", "projectSlug": "proj", "limit": 50} | variables
        page = graph("ExperimentsPaginated", **variables)["experimentsPaginated"]
        return [one["name"] for one in page["experiments"]], page["totalCount"], page["hasMore"]

    assert names() == (["c", "b", "exp"], 3, False)
    assert names(limit=1, offset=1) == (["b"], 3, True)
    assert names(status="FAILED") == (["b"], 1, False)
    assert names(projectSlug="other") == ([], 0, False)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("alice/proj/sweeps/lr/exp", ["exp"]),
        ("ali*/pr?j/*", ["top", "exp"]),
        ("*/proj/exp", ["exp"]),
        ("*", ["top", "exp"]),
        ("bob/*/*", []),
        ("alice/proj/[a-f]*", ["exp"]),
        ("", []),
    ],
)
def test_experiments_are_searched_by_pattern(graph, experiment, pattern, found):
    add_run(experiment, "top")

    page = graph("SearchExperimentsPaginated", pattern=pattern, limit=50, offset=0)

    names = [one["name"] for one in page["searchExperimentsPaginated"]["experiments"]]
    assert names == found


def test_experiment_is_found_by_name_or_path(graph, whole):
    where = {"namespaceSlug": "alice", "projectSlug": "proj"}

    for name in ("exp", "sweeps/lr/exp"):
        found = graph("Experiment", **where, experimentName=name)["experiment"]
        assert (found["id"], found["parameters"]["data"]) == (experiment_id(whole), {"lr": 0.1})
    assert graph("Experiment", **where, experimentName="none") == {"experiment": None}
    assert graph("Experiment", who="charlie", **where, experimentName="exp") == {"experiment": None}


def test_what_is_invisible_is_told_as_an_error(graph, experiment):
    told = f"Experiment {experiment_id(experiment)} not found"

    assert graph("GetExpInfo", who="charlie", experimentId=experiment_id(experiment)) == {
        "data": None,
        "errors": [{"message": told}],
    }
    assert graph("GetExpInfo", who="vera", experimentId=experiment_id(experiment))["experimentById"]
    page = graph("SearchExperimentsPaginated", who="charlie", pattern="*", limit=50, offset=0)
    assert page["searchExperimentsPaginated"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("DropDatabase", {}),
        ("GetExpInfo", {"experimentId": 7}),
        ("GetExpInfo", {"experimentId": "\0"}),
        ("ExperimentsPaginated", {"projectSlug": "proj", "limit": "many"}),
        ("ExperimentsPaginated", {"projectSlug": "proj", "offset": -1}),
        ("ExperimentsPaginated", {"projectSlug": "proj", "status": "ODD"}),
        ("SearchExperimentsPaginated", {"pattern": "*" * 1_001}),
        ("ListExperimentFilesPaginated", {"experimentId": "x", "limit": 1}),
    ],
)
def test_wrong_questions_are_told_as_errors(graph, experiment, name, variables):
    answer = graph(name, **variables)

    assert (answer["data"], len(answer["errors"])) == (None, 1)


@pytest.mark.parametrize(
    "body", ["{", "{}", '{"query": 7}', '{"query": "", "variables": []}', "[]"]
)
def test_malformed_questions_are_told_in_words(call, people, body):
    status, answer = call("post", "/graphql", body)

    assert answer.get("detail") or answer["errors"]
    assert status in {200, 400}


def test_lists_take_the_same_queries_for_one_and_for_three(graph, experiment):
    def count(name, **variables):
        with CaptureQueriesContext(connection) as queries:
            graph(name, limit=50, offset=0, **variables)
        return len(queries)

    asked = [
        ("ExperimentsPaginated", {"namespaceSlug": "alice", "projectSlug": "proj"}),
        ("SearchExperimentsPaginated", {"pattern": "*"}),
        ("ProjectsPaginated", {}),
        ("GetProjectHierarchy", {"namespaceSlug": "alice", "projectSlug": "proj"}),
        ("GetProject", {"namespace": "alice"}),
    ]
    graph("GetMyNamespace")  # the first use of a token is noted
    before = [count(name, **variables) for name, variables in asked]
    for n in range(2):
        log_rows(add_run(experiment, f"n{n}", folder=f"f{n}"), {"a": 1})
        project = Project.objects.create(key=f"p{n}", name=f"p{n}", namespace="alice")
        Project.objects.filter(pk=project.pk).update(owner=experiment.created_by)

    assert [count(name, **variables) for name, variables in asked] == before
