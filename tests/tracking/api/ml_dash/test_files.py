"""Files of experiments, as SDKs send and fetch them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from tests.factories import keep_file, make_run
from tests.people import make_person, share
from tracking.api.ml_dash.ids import experiment_id
from tracking.dialects import zulu_iso
from tracking.domain.tokens import create_token
from tracking.enums import Role
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS_SUM = hashlib.sha256(b"weights").hexdigest()


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "artifacts"


@pytest.fixture
def run() -> Run:
    return make_run("exp")


@pytest.fixture
def files(run) -> str:
    return f"/api/experiments/{experiment_id(run)}/files"


@pytest.fixture
def upload(client, files) -> Callable[..., tuple[int, Any]]:
    def send(path: str = files, content: bytes = b"weights", filename: str = "model.pt", **form):
        file = SimpleUploadedFile(filename, content)
        answer = client.post(path, {"file": file, **form})
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def ask(client) -> Callable[..., tuple[int, Any]]:
    def send(method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        options = {"query_params": query} if query else {}
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(client, method)(path, **options)
        return answer.status_code, answer.json()

    return send


def download(path: str, method: str = "get") -> tuple[Any, bytes]:
    async def fetch():
        answer = await getattr(AsyncClient(), method)(path)
        if not answer.streaming:
            return answer, answer.content
        return answer, b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(fetch)()


def names(answer: tuple[int, Any]) -> list[str]:
    return [file["path"].rstrip("/") + "/" + file["filename"] for file in answer[1]["files"]]


def test_upload_answers_with_the_fourteen_keys(run, upload):
    status, body = upload(
        id="7196743999488123",
        prefix="/models/best",
        name="Modèle 1.pt",
        description="Final",
        tags="[best, v1,",
        bindrs='["a,b"]',
        metadata='{"epoch": 3, "loss": NaN}',
        checksum=WEIGHTS_SUM,
    )

    stored = Artifact.objects.get()
    assert (stored.path, stored.name) == ("models/best", "Modèle 1.pt")
    assert (status, body) == (
        200,
        {
            "id": "7196743999488123",
            "experimentId": experiment_id(run),
            "path": "/models/best",
            "filename": "Modèle 1.pt",
            "description": "Final",
            "tags": ["[best", "v1"],
            "bindrs": ["a,b"],
            "contentType": "application/octet-stream",
            "sizeBytes": 7,
            "checksum": WEIGHTS_SUM,
            "metadata": {"epoch": 3, "loss": "NaN"},
            "uploadedAt": zulu_iso(stored.created_at),
            "updatedAt": zulu_iso(stored.updated_at),
            "deletedAt": None,
        },
    )


@pytest.mark.parametrize(
    "address", ["/api/experiments/{uid}/files", "/api/experiments/{id}/files/"]
)
def test_file_alone_is_enough(run, upload, address):
    status, body = upload(address.format(uid=run.uid, id=experiment_id(run)), tags="", metadata="")

    said = {key: body[key] for key in ("path", "filename", "description", "tags", "metadata")}
    assert (status, said) == (
        200,
        {"path": "/", "filename": "model.pt", "description": None, "tags": [], "metadata": None},
    )
    assert body["id"] == str(Artifact.objects.get().uid)


def test_repeated_upload_changes_nothing(upload):
    first = upload(id="7", prefix="/a")

    assert upload(id="7", prefix="/a") == first
    assert Artifact.objects.count() == 1


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"id": "x"}, "id must be a whole number from 1 to 10^18 - 1, in digits."),
        ({"id": str(10**18)}, "id must be a whole number from 1 to 10^18 - 1, in digits."),
        ({"prefix": "a/../b"}, "path: a name has 1 to 250 characters, not only dots."),
        ({"prefix": "a\x1bb"}, "path has a slash or a control character in it."),
        ({"name": "a/b"}, "name has a slash or a control character in it."),
        ({"name": "x" * 251}, "name: a name has 1 to 250 characters, not only dots."),
        ({"metadata": "{"}, "metadata must be JSON."),
        ({"metadata": "[" * 100_000}, "metadata must be JSON."),
        ({"metadata": "[1]"}, "metadata must be an object."),
        ({"metadata": "[1"}, "metadata must be JSON."),
        ({"tags": "[1]"}, "tags must be text."),
        ({"bindrs": "," + "x" * 251}, "bindrs: a tag has 1 to 250 characters."),
        (
            {"checksum": "0" * 64},
            f"The file came as sha256 {WEIGHTS_SUM}, not {'0' * 64}; send it again.",
        ),
    ],
)
def test_wrong_form_keeps_nothing(upload, form, refusal):
    assert upload(**form) == (400, {"detail": refusal})
    assert not Artifact.objects.exists()


def test_id_of_another_experiment_is_refused(upload):
    other = make_run("other")
    keep_file(other, "x", b"", uid=7)

    refusal = {"detail": "The id 7 belongs to another file; make a new one."}
    assert upload(id="7") == (409, refusal)


def test_too_large_file_is_refused_before_it_is_taken_apart(upload, settings):
    settings.MAX_ARTIFACT_BYTES = settings.MAX_BODY_BYTES = 1024

    refusal = {"detail": "File too large: exceeds limit of 1024 bytes"}
    assert upload(content=b"x" * 3000) == (413, refusal)
    assert upload(content=b"x" * 1025) == (413, refusal)


def test_form_without_a_file_and_no_form_are_refused(client, files):
    assert client.post(files, {"name": "a"}).json() == {"detail": "file: No file was submitted."}
    assert client.post(files, "{}", content_type="application/json").status_code == 400


def test_files_are_listed_by_folder_and_tag_and_in_pieces(ask, upload, files, run):
    for name, prefix, tags in [("a", "/models", "x"), ("b", "/models/best", "y"), ("c", "", "x,y")]:
        upload(name=name, prefix=prefix, tags=tags)
    keep_file(run, "gone", b"", deleted_at="2026-01-01T00:00Z")

    assert names(ask("get", files)) == ["/models/a", "/models/best/b", "/c"]
    assert names(ask("get", files, prefix="mod")) == ["/models/a", "/models/best/b"]
    assert names(ask("get", files, prefix="/models/best")) == ["/models/best/b"]
    assert names(ask("get", files, tags="y,z")) == ["/models/best/b", "/c"]
    status, page = ask("get", files, limit=1, offset=1)
    assert (status, page["totalCount"], page["hasMore"]) == (200, 3, True)
    assert [file["filename"] for file in page["files"]] == ["b"]
    assert set(ask("get", files, limit=1, offset=2)[1]) == {"files", "totalCount", "hasMore"}
    assert ask("get", files, limit=1, offset=2)[1]["hasMore"] is False
    assert ask("get", files, limit=0)[0] == ask("get", files, offset="x")[0] == 400


def test_list_takes_as_many_queries_for_three_files_as_for_one(run, files, count_queries):
    keep_file(run, "a", b"")
    queries = count_queries(files)
    for name in "bc":
        keep_file(run, name, b"")

    assert count_queries(files) == queries


@pytest.mark.parametrize("shape", ["{files}/{file}/download", "/api/nodes/{file}/download"])
def test_bytes_are_streamed_to_be_saved(run, files, shape):
    kept = keep_file(run, 'a "ü".html', b"<b>" * 100_000, path="plots")
    address = shape.format(files=files, file=kept.uid)

    answer, content = download(address)
    head, nothing = download(address, "head")

    assert (content, nothing) == (b"<b>" * 100_000, b"")
    for found in (answer, head):
        assert (found.status_code, found["Content-Length"]) == (200, "300000")
        assert found["Content-Type"] == "application/octet-stream"
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Content-Disposition"] == "attachment; filename*=utf-8''a%20%22%C3%BC%22.html"


def test_file_is_described_changed_and_deleted(ask, upload, files):
    made = upload(tags="a")[1]
    address = f"{files}/{made['id']}"
    changes = {"description": "new", "tags": ["b"], "bindrs": ["c"], "metadata": {"v": 2}}

    assert ask("get", address) == (200, made)
    described, unchanged = (
        ask("patch", address, changes | {"unknown": 1}),
        ask("patch", address, {"tags": None}),
    )
    assert described == (200, made | changes | {"updatedAt": described[1]["updatedAt"]})
    assert unchanged == described
    assert described[1]["updatedAt"] > made["updatedAt"]
    status, gone = ask("delete", address)

    assert (status, gone) == (
        200,
        {"id": made["id"], "deletedAt": zulu_iso(Artifact.objects.get().deleted_at)},
    )
    missing = (404, {"detail": f"File {made['id']} not found"})
    assert [ask(method, address) for method in ("get", "patch", "delete")] == [missing] * 3
    assert ask("get", f"{address}/download") == missing
    assert ask("get", f"/api/nodes/{made['id']}/download") == missing
    assert names(ask("get", files)) == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ([], "Invalid data. Expected a dictionary, but got list."),
        ({"tags": "a"}, "tags must be a list of texts."),
        ({"metadata": 1}, "metadata must be an object."),
        ({"description": "a\0"}, "description has a NUL character in it."),
    ],
)
def test_wrong_changes_change_nothing(ask, upload, files, changes, refusal):
    made = upload()[1]
    address = f"{files}/{made['id']}"

    assert ask("patch", address, changes) == (400, {"detail": refusal})
    assert ask("get", address) == (200, made)


def test_file_of_another_experiment_is_not_found_under_this_one(ask, files):
    kept = keep_file(make_run("other"), "x", b"")

    missing = (404, {"detail": f"File {kept.uid} not found"})
    assert ask("get", f"{files}/{kept.uid}") == missing
    assert ask("get", f"{files}/{kept.uid}/download") == missing


def test_lost_bytes_are_told(ask, run):
    kept = keep_file(run, "x", b"", path="a", storage_key="nowhere")

    assert ask("get", f"/api/nodes/{kept.uid}/download") == (
        404,
        {"detail": "The file of artifact 'a/x' is not there any more."},
    )


@pytest.mark.parametrize("text", ["x", "0", "-1", "9" * 5000, "%00", "٣"])
def test_strange_ids_are_not_found(ask, files, text):
    for address in (f"{files}/{text}", f"/api/nodes/{text}/download"):
        assert ask("get", address)[0] == 404


def test_search_finds_whole_paths(ask, run, upload):
    upload(name="best.pt", prefix="models/a")
    other = keep_file(make_run("other"), "best.pt", b"")

    found = ask("get", "/api/search/files", pattern="**/best.pt", experimentId=experiment_id(run))
    everywhere = ask("get", "/api/search/files", pattern="best.*")

    assert [(file["name"], file["path"]) for file in found[1]["files"]] == [
        ("best.pt", "/models/a/best.pt")
    ]
    assert [file["path"] for file in everywhere[1]["files"]] == ["/best.pt", "/models/a/best.pt"]
    assert everywhere[1]["files"][0]["id"] == str(other.uid)
    assert ask("get", "/api/search/files") == (400, {"detail": "pattern: This field is required."})


def test_search_takes_as_many_queries_for_three_files_as_for_one(run, count_queries):
    keep_file(run, "a", b"")
    queries = count_queries("/api/search/files?pattern=*")
    for name in "bc":
        keep_file(make_run(name), name, b"")

    assert count_queries("/api/search/files?pattern=*") == queries


# ── Who may ──────────────────────────────────────────────────────────────────


def test_who_may_what(client, settings, run, files):
    """Alice owns, Bob edits, Vera views, Charlie is a stranger."""
    settings.ACCESS = "login"
    kept = keep_file(run, "x", b"")
    people = {name: make_person(name) for name in ("bob", "vera", "charlie")}
    share(run.project, people["bob"], Role.EDITOR)
    share(run.project, people["vera"], Role.VIEWER)
    asked = [
        ("get", files),
        ("get", f"{files}/{kept.uid}"),
        ("post", files),
        ("patch", f"{files}/{kept.uid}"),
        ("delete", f"{files}/{kept.uid}"),
    ]

    def statuses(user: Any) -> list[int]:
        secret = create_token(user, name="t", can_write=True)[1]
        headers = {"Authorization": f"Bearer {secret}"}
        return [
            getattr(client, method)(path, headers=headers).status_code for method, path in asked
        ]

    assert statuses(people["charlie"]) == [404] * 5
    assert statuses(people["vera"]) == [200, 200, 404, 404, 404]
    assert statuses(people["bob"]) == [200, 200, 400, 200, 200]
