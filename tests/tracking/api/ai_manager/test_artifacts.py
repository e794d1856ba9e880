import json

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from tests.factories import keep_file
from tracking.domain.jwt import make_jwt
from tracking.models import Artifact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def send(client, people):
    def upload(path, file="model.pt", content=b"weights", *, who="alice", **fields):
        headers = {"Authorization": f"Bearer {make_jwt(people[who])}"}
        data = {"file": SimpleUploadedFile(file, content), **fields}
        answer = client.post(path, data, headers=headers)
        return answer.status_code, answer.json()

    return upload


@pytest.fixture
def download(people):
    """The answer, and the bytes that came with it."""

    async def get(artifact_id, headers):
        answer = await AsyncClient().get(f"/artifacts/artifacts/{artifact_id}", headers=headers)
        if not answer.streaming:
            return answer, answer.content
        return answer, b"".join([piece async for piece in answer.streaming_content])

    def ask(artifact_id, *, who="alice"):
        headers = {"Authorization": f"Bearer {make_jwt(people[who])}"}
        return async_to_sync(get)(artifact_id, headers)

    return ask


@pytest.mark.parametrize(
    "path", ["/runs/{}/artifacts", "/artifacts/{}/artifacts", "/runs/{}/artifacts/"]
)
def test_file_is_taken_listed_sent_and_deleted(call, send, download, run, path):
    address = path.format(run.pk)
    status, made = send(address, type="model", metadata=json.dumps({"epoch": 3}))

    stored = Artifact.objects.get()
    assert (status, made) == (
        200,
        {
            "id": stored.pk,
            "run_id": run.pk,
            "name": "model.pt",
            "type": "model",
            "path": "model.pt",
            "size": 7,
            "metadata": {"epoch": 3},
            "created_at": stored.created_at.replace(tzinfo=None).isoformat(),
        },
    )
    assert call("get", address) == (200, [made])

    sent, content = download(stored.pk, who="vera")
    assert (sent.status_code, content) == (200, b"weights")
    assert sent["Content-Type"] == "application/octet-stream"
    assert sent["Content-Disposition"] == 'attachment; filename="model.pt"'
    assert sent["Content-Length"] == "7"

    assert call("delete", f"/artifacts/artifacts/{stored.pk}") == (
        200,
        {"message": "Artifact deleted successfully"},
    )
    assert call("get", address) == (200, [])
    assert not default_storage.exists(stored.storage_key)


def test_file_alone_is_enough_and_the_same_name_replaces_it(call, send, run):
    path = f"/runs/{run.pk}/artifacts"
    first = send(path)[1]
    second = send(path, content=b"better", file="other.bin", metadata="", type="")[1]
    third = send(path, content=b"best", metadata='{"loss": NaN}')[1]

    assert (first["type"], first["metadata"], second["name"]) == ("other", {}, "other.bin")
    assert third["metadata"] == {"loss": "NaN"}
    assert [one["id"] for one in call("get", path)[1]] == [second["id"], third["id"]]
    assert call("get", f"/artifacts/artifacts/{first['id']}")[0] == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../../etc/passwd"},
        {"name": "..", "type": "model"},
        {"name": "a/b"},
        {"type": "weights"},
        {"metadata": "{"},
        {"metadata": "[1]"},
        {"metadata": "[" * 100_000},
        {"metadata": '{"a": "\\u0000"}'},
    ],
)
def test_nonsense_is_no_file(call, send, run, fields):
    answer = send(f"/runs/{run.pk}/artifacts", **fields)

    assert (answer[0], [*answer[1]]) == (400, ["detail"])
    assert not Artifact.objects.exists()


def test_what_is_no_form_is_a_400(call, run):
    assert call("post", f"/runs/{run.pk}/artifacts", {"file": "x"})[0] == 400


def test_file_that_is_too_large_is_refused(send, run, settings):
    settings.MAX_ARTIFACT_BYTES = 5

    assert send(f"/runs/{run.pk}/artifacts")[0] == 413
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    ("who", "expected"), [("bob", (200, 200)), ("vera", (200, 403)), ("charlie", (404, 404))]
)
def test_who_may_what(call, send, run, who, expected):
    read, write = expected
    file = keep_file(run, "a.txt", b"bytes")

    assert call("get", f"/runs/{run.pk}/artifacts", who=who)[0] == read
    assert send(f"/runs/{run.pk}/artifacts", who=who)[0] == write
    assert call("delete", f"/artifacts/artifacts/{file.pk}", who=who)[0] == write


def test_strangers_get_no_bytes(download, run):
    file = keep_file(run, "a.txt", b"bytes")

    sent, content = download(file.pk, who="charlie")

    assert sent.status_code == 404
    assert json.loads(content) == {"detail": f"Artifact {file.pk} not found"}


def test_lost_file_is_told(download, run):
    file = keep_file(run, "a.txt", b"bytes")
    default_storage.delete(file.storage_key)

    assert download(file.pk)[0].status_code == 404


def test_head_reads_nothing(client, people, run):
    file = keep_file(run, "a.txt", b"bytes")
    headers = {"Authorization": f"Bearer {make_jwt(people['alice'])}"}

    answer = client.head(f"/artifacts/artifacts/{file.pk}", headers=headers)

    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "5", b"")
