from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_run
from tests.tracking.api.aspara_tracker.conftest import RUN, counted_queries
from tracking.domain.artifacts import open_artifact
from tracking.models import Artifact

pytestmark = pytest.mark.django_db(transaction=True)
PATH = f"{RUN}/artifacts"


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


@pytest.fixture(autouse=True)
def run():
    return make_run()


@pytest.fixture
def upload(client):
    def send(path: str = PATH, content: bytes = b"weights", filename: str = "model.pt", **form):
        file = SimpleUploadedFile(filename, content)
        answer = client.post(path, {"file": file, **form})
        return answer.status_code, answer.json()

    return send


def nothing_stored(store: Path) -> bool:
    return not Artifact.objects.exists() and not [p for p in store.rglob("*") if p.is_file()]


def test_documented_upload_is_stored(upload):
    answer = upload(name="trained_model.pt", description="Final trained model", category="model")

    artifact = Artifact.objects.get()
    assert answer == (200, {"artifact_name": "trained_model.pt", "file_size": 7})
    assert (artifact.description, artifact.category) == ("Final trained model", "model")
    with open_artifact(artifact) as file:
        assert file.read() == b"weights"


@pytest.mark.parametrize("prefix", ["/tracker/api/v1", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_prefixes_and_both_spellings_answer(upload, prefix, slash):
    status, answer = upload(f"{prefix}/projects/proj/runs/run-1/artifacts{slash}")

    assert (status, answer) == (200, {"artifact_name": "model.pt", "file_size": 7})


@pytest.mark.parametrize("form", [{}, {"name": "", "description": "", "category": ""}])
def test_name_is_the_files_when_none_is_given(upload, form):
    assert upload(filename="dir/model.pt", **form)[1]["artifact_name"] == "model.pt"


def test_large_file_goes_through_the_disk(upload, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    content = bytes(range(256)) * 1_000

    assert upload(content=content) == (200, {"artifact_name": "model.pt", "file_size": 256_000})
    with open_artifact(Artifact.objects.get()) as file:
        assert file.read() == content


def test_empty_file_is_stored(upload):
    assert upload(content=b"") == (200, {"artifact_name": "model.pt", "file_size": 0})


def test_upload_again_changes_nothing(upload):
    first = upload()

    assert upload() == first
    assert Artifact.objects.count() == 1


def test_upload_of_a_taken_name_replaces(upload):
    upload(content=b"old")

    assert upload(content=b"newer") == (200, {"artifact_name": "model.pt", "file_size": 5})
    live = Artifact.objects.filter(deleted_at=None)
    assert [artifact.size_bytes for artifact in live] == [5]


def test_too_large_a_file_is_refused(upload, settings, store):
    settings.MAX_ARTIFACT_BYTES = 1_000
    refused = (413, {"detail": "File too large: exceeds limit of 1000 bytes"})

    assert upload(content=b"x" * 1_000)[0] == 200
    assert upload(content=b"x" * 1_001, name="other") == refused
    assert Artifact.objects.count() == 1


def test_far_too_large_a_body_is_refused_unread(upload, settings, store):
    settings.MAX_ARTIFACT_BYTES = settings.MAX_BODY_BYTES = 1_000

    assert upload(content=b"x" * 5_000) == (
        413,
        {"detail": "File too large: exceeds limit of 1000 bytes"},
    )
    assert nothing_stored(store)


CATEGORIES = "Must be one of: code, model, config, data, other"
NAME_RULE = (
    "Invalid artifact name. Only letters, digits, '_', '.' and '-' are allowed, not '..' in front,"
    " at most 250 characters."
)


@pytest.mark.parametrize(
    ("form", "detail"),
    [
        ({"category": "zzz"}, f"Invalid category: zzz. {CATEGORIES}"),
        ({"category": "x" * 9_999}, f"Invalid category: {'x' * 40}. {CATEGORIES}"),
        ({"name": "../../etc/passwd"}, NAME_RULE),
        ({"name": "/etc/passwd"}, NAME_RULE),
        ({"name": "..%2f..%2fx"}, NAME_RULE),
        ({"name": "a b"}, NAME_RULE),
        ({"name": "n" * 10_000}, NAME_RULE),
        ({"name": "a\nb"}, NAME_RULE),
        ({"filename": "with space.pt"}, NAME_RULE),
        ({"name": "a\0b"}, "name: Null characters are not allowed."),
        ({"description": "a\0b"}, "description has a NUL character in it."),
        (
            {"description": "d" * 100_001},
            "description has 100001 characters; at most 100000 are allowed.",
        ),
    ],
)
def test_wrong_form_stores_nothing(upload, store, form: dict[str, Any], detail):
    assert upload(**form) == (400, {"detail": detail})
    assert nothing_stored(store)


NO_FILE = "file: No file was submitted."
TEXT_AS_FILE = b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--X--\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "refusal"),
    [
        ("multipart/form-data; boundary=X", b"", (400, NO_FILE)),
        ("multipart/form-data; boundary=X", b"--X--\r\n", (400, NO_FILE)),
        (
            "multipart/form-data; boundary=X",
            TEXT_AS_FILE,
            (
                400,
                "file: The submitted data was not a file. Check the encoding type on the form.",
            ),
        ),
        (
            "multipart/form-data",
            b"--X--\r\n",
            (400, "Multipart form parse error - Invalid boundary in multipart: None"),
        ),
        ("application/json", b"{}", (415, 'Unsupported media type "application/json" in request.')),
        ("", b"bytes", (415, 'Unsupported media type "" in request.')),
    ],
)
def test_body_that_is_no_upload_is_refused(client, store, content_type, body, refusal):
    answer = client.generic("POST", PATH, body, content_type)

    assert (answer.status_code, answer.json()["detail"]) == refusal
    assert nothing_stored(store)


def test_form_fields_beyond_the_body_limit_are_refused(upload, settings, store):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000

    status, answer = upload(description="d" * 6_000)

    assert status == 413
    assert answer == {"detail": "The body is too large: at most 5000 bytes are allowed."}
    assert nothing_stored(store)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        (f"{RUN}x/artifacts", 404, "Run 'run-1x' not found in project 'proj'"),
        (PATH.replace("proj/", "nope/"), 404, "Project 'nope' not found"),
    ],
)
def test_unknown_run_gets_nothing(upload, store, path, status, detail):
    assert upload(path) == (status, {"detail": detail})
    assert nothing_stored(store)


def test_query_count_is_constant(upload):
    for number in range(3):
        with counted_queries() as statements:
            upload(name=f"file-{number}")

        assert len(statements) == 7, statements
