"""Files as nodes of their experiments, as the later releases send them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import keep_file, make_run
from tracking.api.ml_dash.ids import experiment_id, folder_id, project_id
from tracking.dialects import zulu_iso
from tracking.models import Artifact, Folder, Run

pytestmark = pytest.mark.django_db(transaction=True)
NODES = "/api/namespaces/local/nodes"


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "artifacts"


@pytest.fixture
def run() -> Run:
    return make_run("exp")


@pytest.fixture
def folder(run) -> Folder:
    return Folder.objects.create(project=run.project, run=run, path="models/best")


@pytest.fixture
def upload(client, run) -> Callable[..., tuple[int, Any]]:
    def send(**form: str) -> tuple[int, Any]:
        file = SimpleUploadedFile("upload.bin", b"weights")
        fields = {"type": "FILE", "experimentId": experiment_id(run), "name": "w.json"} | form
        answer = client.post(NODES, {"file": file, **fields})
        return answer.status_code, answer.json()

    return send


def test_file_is_a_node_of_its_folder(upload, run, folder):
    checksum = hashlib.sha256(b"weights").hexdigest()
    words = {"description": "Final", "tags": "a,b", "metadata": '{"epoch": 3}'}
    project = project_id(run.project)

    status, body = upload(projectId=project, parentId=folder_id(folder), checksum=checksum, **words)

    stored = Artifact.objects.get()
    physical = {
        "id": str(stored.uid),
        "filename": "w.json",
        "contentType": "application/json",
        "sizeBytes": 7,
        "checksum": checksum,
        "s3Url": None,
    }
    node = {
        "id": str(stored.uid),
        "experimentId": experiment_id(run),
        "path": "/models/best",
        "filename": "w.json",
        "description": "Final",
        "tags": ["a", "b"],
        "bindrs": [],
        "contentType": "application/json",
        "sizeBytes": 7,
        "checksum": checksum,
        "metadata": {"epoch": 3},
        "uploadedAt": zulu_iso(stored.created_at),
        "updatedAt": zulu_iso(stored.updated_at),
        "deletedAt": None,
        "type": "FILE",
        "name": "w.json",
        "projectId": project,
        "createdAt": zulu_iso(stored.created_at),
        "pPath": "/models/best",
        "physicalFile": physical,
    }
    assert (status, body) == (200, {"node": node, "physicalFile": physical})


@pytest.mark.parametrize("parent", ["", "ROOT", "experiment", "project"])
def test_top_of_the_experiment_has_many_names(upload, run, parent):
    ids = {"experiment": experiment_id(run), "project": project_id(run.project)}

    assert upload(parentId=ids.get(parent, parent))[1]["node"]["path"] == "/"


def test_parent_alone_tells_the_experiment(upload, run, folder):
    assert upload(experimentId="", parentId=folder_id(folder))[1]["node"]["path"] == "/models/best"
    assert upload(experimentId="", parentId=experiment_id(run))[1]["node"]["path"] == "/"


def test_parent_of_another_experiment_is_refused(upload, run, folder):
    other = make_run("other")
    of_project = Folder.objects.create(project=run.project, path="sweeps")
    file = keep_file(run, "x", b"")

    refusal = (400, {"detail": "parentId is no folder of this experiment."})
    assert upload(experimentId=experiment_id(other), parentId=folder_id(folder)) == refusal
    assert upload(parentId=experiment_id(other)) == refusal
    assert upload(parentId=folder_id(of_project)) == refusal
    assert upload(parentId=str(file.uid)) == refusal
    assert run.artifacts.count() == 1


@pytest.mark.parametrize("parent", ["", "project"])
def test_file_without_an_experiment_is_refused(upload, run, parent):
    parent_id = project_id(run.project) if parent else ""

    assert upload(experimentId="", parentId=parent_id) == (
        400,
        {"detail": "experimentId: a file belongs to an experiment."},
    )


def test_unknown_places_are_not_found(upload):
    assert upload(experimentId="3" + "0" * 18)[0] == upload(parentId="2" + "0" * 18)[0] == 404
    assert not Artifact.objects.exists()


def test_node_is_described_changed_and_deleted(client, run):
    file = keep_file(run, "x.bin", b"x", path="a")
    address = f"/api/nodes/{file.uid}"
    changes = {"description": "new", "tags": ["t"], "metadata": {"v": 2}}

    before = client.get(address).json()
    after = client.patch(address, json.dumps(changes), content_type="application/json").json()
    gone = client.delete(address).json()

    assert (before["pPath"], before["name"]) == ("/a", "x.bin")
    assert after == before | changes | {"updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    assert gone == {
        "id": str(file.uid),
        "deletedAt": zulu_iso(Artifact.objects.get().deleted_at),
    }
    assert [client.get(address).status_code, client.delete(address).status_code] == [404, 404]


def test_files_of_graphql_are_nodes_in_pages(client, run):
    for name in "abc":
        keep_file(run, name, b"", path="p")

    def ask(**variables: Any) -> Any:
        query = "query ListExperimentFilesPaginated($experimentId: ID!) { experimentById }"
        body = {"query": query, "variables": {"experimentId": experiment_id(run), **variables}}
        answer = client.post("/graphql", json.dumps(body), content_type="application/json").json()
        return answer["data"]["experimentById"]["filesPaginated"]

    page = ask(limit=2, offset=1)
    first = client.get(f"/api/nodes/{run.artifacts.get(name='b').uid}").json()

    assert page["files"][0] == first
    assert [file["name"] for file in page["files"]] == ["b", "c"]
    assert (page["totalCount"], page["hasMore"]) == (3, False)
    assert ask(limit=2)["hasMore"] is True
