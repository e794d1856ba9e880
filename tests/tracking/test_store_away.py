"""While the store of files is away: files get a 503, and nothing else notices."""

import errno
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import keep_file, log_points, make_run
from tracking.domain.access import local_user
from tracking.domain.artifacts import delete_artifacts
from tracking.domain.jwt import make_jwt
from tracking.errors import StoreAway
from tracking.models import Artifact
from tracking.storage import DurableFileStorage

pytestmark = pytest.mark.django_db(transaction=True)
AWAY = "The store of files does not answer; try again."
PAGE = "/projects/proj/runs/run-1/artifacts/{artifact.pk}"


@pytest.fixture
def artifact(settings, tmp_path, monkeypatch) -> Artifact:
    settings.MEDIA_ROOT = tmp_path
    artifact = keep_file(make_run(), "a.txt", b"12345")

    def fail(*_: Any, **__: Any) -> None:
        raise StoreAway(AWAY)

    for name in ("save", "open", "exists", "delete", "size"):
        monkeypatch.setattr(DurableFileStorage, name, fail)
    return artifact


def test_upload_is_to_come_again_and_leaves_no_row(client, artifact):
    form = {"file": SimpleUploadedFile("b.txt", b"new")}

    answer = client.post("/tracker/api/v1/projects/proj/runs/run-1/artifacts", form)

    assert (answer.status_code, answer.json()) == (503, {"detail": AWAY})
    assert answer["Retry-After"] == "2"
    assert list(Artifact.objects.values_list("name", flat=True)) == ["a.txt"]


@pytest.mark.parametrize("verb", ["get", "head"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/projects/proj/runs/run-1/artifacts/download",
        "/artifacts/artifacts/{artifact.pk}",
        "/api/nodes/{artifact.uid}/download",
    ],
)
def test_download_is_to_come_again(client, artifact, verb, path):
    headers = {"Authorization": f"Bearer {make_jwt(local_user())}"}

    answer = getattr(client, verb)(path.format(artifact=artifact), headers=headers)

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/content", f"{PAGE}/preview"])
def test_page_says_so(client, artifact, path):
    answer = client.get(path.format(artifact=artifact))

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert AWAY in answer.content.decode()


def test_list_of_files_and_what_is_logged_do_not_notice(client, artifact):
    log_points(artifact.run, {"loss": [1.0, 0.5]})

    assert client.get("/projects/proj/runs/run-1/artifacts").status_code == 200
    assert artifact.run.metrics.get().count == 2


def test_deleting_goes_on_and_says_what_it_leaves(artifact, caplog):
    delete_artifacts(artifact.run.artifacts.all())

    assert not Artifact.objects.exists()
    assert caplog.messages == [f"1 files stay until checkstore --mend: {AWAY}"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_full_disk_is_a_store_away(settings, tmp_path, monkeypatch, client, code):
    settings.MEDIA_ROOT = tmp_path
    make_run()

    def fail(*_: Any) -> None:
        raise OSError(code, "no room")

    monkeypatch.setattr(FileSystemStorage, "_save", fail)
    form = {"file": SimpleUploadedFile("b.txt", b"new")}

    answer = client.post("/tracker/api/v1/projects/proj/runs/run-1/artifacts", form)

    detail = "There is no room for files on the server's disk."
    assert (answer.status_code, answer.json()) == (503, {"detail": detail})
    assert not Artifact.objects.exists()
