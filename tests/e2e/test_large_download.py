import os
import zipfile
from collections.abc import Iterator

import pytest
import requests

from tests.e2e.live import LiveServer, live_server
from tests.e2e.test_large_upload import MEGABYTE, peak_bytes

pytestmark = pytest.mark.e2e
FILES = 3
CONTENT = os.urandom(20 * MEGABYTE)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as running:
        run = f"{running.url}/api/v1/projects/p/runs"
        requests.post(run, json={"name": "r"}, timeout=30)
        for n in range(FILES):
            files = {"file": (f"w{n}.bin", CONTENT)}
            requests.post(f"{run}/r/artifacts", files=files, timeout=60).raise_for_status()
        yield running


def download(server: LiveServer) -> requests.Response:
    url = f"{server.url}/api/projects/p/runs/r/artifacts/download"
    return requests.get(url, stream=True, timeout=60)


def test_zip_of_large_files_is_never_in_memory(server, tmp_path):
    path, before = tmp_path / "all.zip", peak_bytes(server.pid)

    with download(server) as answer, path.open("wb") as file:
        for piece in answer.iter_content(MEGABYTE):
            file.write(piece)

    assert path.stat().st_size == int(answer.headers["Content-Length"])
    assert peak_bytes(server.pid) - before < 16 * MEGABYTE
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"w{n}.bin" for n in range(FILES)]
        assert all(archive.read(name) == CONTENT for name in archive.namelist())


def test_reader_who_waits_or_leaves_costs_no_memory(server):
    before = peak_bytes(server.pid)

    for _ in range(3):
        with download(server) as answer:
            answer.raw.read(1000)

    assert requests.get(f"{server.url}/health", timeout=30).json() == {"status": "ok"}
    assert peak_bytes(server.pid) - before < 16 * MEGABYTE


def test_archive_whose_files_go_is_not_taken_for_whole(server):
    with download(server) as answer:
        answer.raw.read(1000)
        for stored in (server.data_dir / "artifacts").rglob("*"):
            if stored.is_file():
                stored.unlink()

        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(answer.iter_content(MEGABYTE))
