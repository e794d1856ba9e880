"""All files of a run as one ZIP."""

import io
import re
import zipfile

import pytest
from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from tests.factories import make_run
from tests.tracking.api.aspara_dashboard.conftest import keep_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_files")]
URL = "/api/projects/proj/runs/run-1/artifacts/download"
NAME = re.compile(r'attachment; filename="proj_run-1_artifacts_\d{8}_\d{6}\.zip"')


async def download(path: str = URL) -> tuple[object, zipfile.ZipFile]:
    response = await AsyncClient().get(path)
    body = b"".join([piece async for piece in response.streaming_content])
    assert response["Content-Length"] == str(len(body))
    return response, zipfile.ZipFile(io.BytesIO(body))


async def test_zip_holds_all_files_and_says_its_size():
    run = await sync_to_async(make_run)()
    large = bytes(range(256)) * 4096
    for name, content in (("a.txt", b"small"), ("large.bin", large), ("empty", b"")):
        await sync_to_async(keep_file)(run, name, content)
    await sync_to_async(keep_file)(run, "replaced", b"x", deleted_at="2026-01-01T00:00Z")

    response, archive = await download()

    assert {name: archive.read(name) for name in archive.namelist()} == {
        "a.txt": b"small",
        "large.bin": large,
        "empty": b"",
    }
    assert response["Content-Type"] == "application/zip"
    assert NAME.fullmatch(response["Content-Disposition"])


async def test_file_that_is_gone_already_is_named():
    run = await sync_to_async(make_run)()
    await sync_to_async(keep_file)(run, "kept", b"1")
    gone = await sync_to_async(keep_file)(run, "gone", b"2")
    default_storage.delete(gone.storage_key)

    _, archive = await download(f"{URL}/")

    assert {name: archive.read(name) for name in archive.namelist()} == {
        "kept": b"1",
        "MISSING.txt": b"gone\n",
    }


def test_head_tells_the_size_without_reading_a_file(client, monkeypatch):
    keep_file(make_run(), "a.txt", b"small")
    monkeypatch.setattr("tracking.domain.archives.open_artifact", None)

    answer = client.head(URL)

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer["Content-Length"]) > 100
    assert NAME.fullmatch(answer["Content-Disposition"])


@pytest.mark.parametrize("accept", ["application/zip", "text/html,*/*;q=0.8", "image/png"])
def test_whatever_is_accepted_it_is_a_zip(client, accept):
    keep_file(make_run(), "a.txt", b"small")

    answer = client.head(URL, headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/zip"])
def test_run_without_files_is_404(client, accept):
    make_run()

    answer = client.get(URL, headers={"Accept": accept})

    detail = "No artifacts found for this run"
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


def test_run_whose_files_are_all_gone_is_404(client):
    default_storage.delete(keep_file(make_run(), "gone", b"2").storage_key)

    answer = client.get(URL)

    assert (answer.status_code, answer.json()) == (404, {"detail": "No artifact files found"})


def test_unknown_run_is_404(client):
    make_run()

    answer = client.get(URL.replace("run-1", "nope"))

    detail = "Run 'nope' not found in project 'proj'"
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


def test_number_of_queries_is_constant(client):
    run, counts = make_run(), []
    client.head(URL)
    for n in range(3):
        keep_file(run, f"file-{n}", b"1")
        with CaptureQueriesContext(connection) as queries:
            client.head(URL)
        counts.append(len(queries))

    assert counts == [counts[0]] * 3
