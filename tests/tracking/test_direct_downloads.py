"""Downloads that the store of files gives out itself, to whom the server sends there."""

import pytest
from django.core.files.storage import default_storage

from tests.factories import keep_file, make_run
from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.jwt import make_jwt
from tracking.models import Artifact

pytestmark = pytest.mark.django_db(transaction=True)
DIRECT = ["/projects/proj/runs/run-1/artifacts/{0.pk}", "/artifacts/artifacts/{0.pk}"]
THROUGH = ["/projects/proj/runs/run-1/artifacts/{0.pk}/content", "/api/nodes/{0.uid}/download"]
LINK = "https://store.example/b/{key}?name={name}"


@pytest.fixture
def artifact(settings, tmp_path, monkeypatch) -> Artifact:
    settings.MEDIA_ROOT = tmp_path
    artifact = keep_file(make_run(), "a.png", b"\x89PNG\r\n\x1a\n")
    monkeypatch.setattr(
        default_storage._wrapped,
        "make_link",
        lambda key, *, name: LINK.format(key=key, name=name),
        raising=False,
    )
    return artifact


@pytest.fixture
def headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {make_jwt(local_user())}"}


@pytest.mark.parametrize("path", DIRECT)
def test_download_is_sent_on(client, artifact, headers, path):
    answer = client.get(path.format(artifact), headers=headers)

    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    assert answer["Location"] == LINK.format(key=artifact.storage_key, name="a.png")


@pytest.mark.parametrize("path", DIRECT)
def test_head_is_answered_here(client, artifact, headers, path):
    answer = client.head(path.format(artifact), headers=headers)

    assert (answer.status_code, answer["Content-Length"]) == (200, "8")


@pytest.mark.parametrize("path", THROUGH)
def test_rest_goes_through_the_server(client, artifact, headers, path):
    answer = client.get(path.format(artifact), headers=headers)
    answer.close()

    assert (answer.status_code, answer["Content-Length"]) == (200, "8")


@pytest.mark.parametrize("path", DIRECT)
def test_nobody_is_sent_to_a_file_that_is_not_theirs(settings, client, artifact, path):
    settings.ACCESS = "login"
    headers = {"Authorization": f"Bearer {make_jwt(make_person('charlie'))}"}

    assert client.get(path.format(artifact), headers=headers).status_code == 404


@pytest.mark.parametrize("path", DIRECT)
def test_nobody_is_sent_to_a_file_that_is_gone(client, artifact, headers, path):
    default_storage.delete(artifact.storage_key)

    assert client.get(path.format(artifact), headers=headers).status_code == 404
