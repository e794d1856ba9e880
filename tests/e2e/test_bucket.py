"""The whole server over a bucket: large files, a store that goes away and comes back."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import aspara
import pytest
import requests

from tests.e2e.live import ROOT, LiveServer, live_server, server_env, wait_until
from tests.e2e.test_large_upload import MEGABYTE, peak_bytes
from tests.services.s3 import S3, s3
from tests.tracking.test_real_bucket import connect

pytestmark = [pytest.mark.e2e, pytest.mark.full]


@pytest.fixture
def store() -> Iterator[S3]:
    with s3() as store:
        yield store


@pytest.fixture
def server(store) -> Iterator[LiveServer]:
    with live_server(**store.env()) as server:
        make_run(server)
        yield server


def make_run(server: LiveServer) -> None:
    answer = requests.post(f"{server.url}/api/v1/projects/p/runs", json={"name": "r"}, timeout=30)
    assert answer.status_code == 200


def upload(server: LiveServer, content: bytes, name: str = "model.pt") -> requests.Response:
    address = f"{server.url}/api/v1/projects/p/runs/r/artifacts"
    return requests.post(address, files={"file": (name, content)}, timeout=120)


def links(server: LiveServer) -> list[str]:
    """Where the page of the files leads."""
    page = requests.get(f"{server.url}/projects/p/runs/r/artifacts", timeout=30).text
    found = re.findall(r'href="(/projects/p/runs/r/artifacts/\d+)"', page)
    return [server.url + path for path in sorted(set(found))]


def link_of(server: LiveServer) -> str:
    """Of the only file there is."""
    (link,) = links(server)
    return link


def kill_during_upload(store: S3) -> None:
    """When the first parts of something large are there."""
    storage = connect(store, location="")
    wait_until(lambda: any(storage.list_unfinished()), 60, "an upload has begun")
    store.kill()
    storage.client.close()


def objects(store: S3) -> list[Path]:
    return [path for path in store.bucket.rglob("*") if path.is_file()]


def test_large_file_is_never_in_memory(server, store):
    content = os.urandom(96 * MEGABYTE)
    upload(server, b"1", "first.txt")
    before = peak_bytes(server.pid)

    answer = upload(server, content)
    after_upload = peak_bytes(server.pid)
    zipped = requests.get(f"{server.url}/api/projects/p/runs/r/artifacts/download", timeout=120)

    assert answer.json() == {"artifact_name": "model.pt", "file_size": 96 * MEGABYTE}
    assert content in zipped.content
    assert after_upload - before < 64 * MEGABYTE
    assert peak_bytes(server.pid) - after_upload < 32 * MEGABYTE
    assert sorted(path.stat().st_size for path in objects(store)) == [1, 96 * MEGABYTE]


def test_file_is_read_whole_in_parts_and_not_at_all(server):
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(MEGABYTE)
    upload(server, picture, "a.png")
    link = link_of(server)

    whole = requests.get(link, timeout=30)
    part = requests.get(f"{link}/content", headers={"Range": "bytes=10-19"}, timeout=30)
    none = requests.head(link, timeout=30)

    assert (whole.status_code, whole.content) == (200, picture)
    assert whole.headers["Content-Length"] == str(len(picture))
    assert (part.status_code, part.content) == (206, picture[10:20])
    assert (none.status_code, none.headers["Content-Length"]) == (200, str(len(picture)))


def test_downloads_are_sent_on_where_that_is_wanted(store):
    with live_server(**store.env(), RUNYARD_S3_DIRECT="1") as server:
        make_run(server)
        upload(server, b"<script>", "a.html")
        link = link_of(server)

        sent_on = requests.get(link, timeout=30, allow_redirects=False)
        head = requests.head(link, timeout=30, allow_redirects=False)
        file = requests.get(link, timeout=30)

    assert (sent_on.status_code, sent_on.headers["Cache-Control"]) == (302, "private, no-store")
    assert sent_on.headers["Location"].startswith(store.url)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "8")
    assert file.content == b"<script>"
    assert file.headers["Content-Disposition"] == 'attachment; filename="a.html"'


def test_store_that_is_away_hurts_nothing_but_files(server, store):
    upload(server, b"12345")
    link = link_of(server)
    store.kill()
    runs = f"{server.url}/api/v1/projects/p/runs"

    refused = upload(server, b"67890")
    read = requests.get(link, timeout=30)
    logged = requests.post(
        f"{runs}/r/metrics", json={"step": 0, "metrics": {"loss": 1.0}}, timeout=30
    )

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert (read.status_code, read.headers["Retry-After"]) == (503, "10")
    assert logged.status_code == 200
    store.start()
    time.sleep(3)  # the server does not ask at once again
    assert requests.get(link, timeout=30).content == b"12345"
    assert upload(server, b"67890").status_code == 200
    assert [path.read_bytes() for path in objects(store)] == [b"67890"]


def test_package_comes_back_with_its_file(server, store, tmp_path):
    (tmp_path / "model.pt").write_bytes(b"12345")
    run = aspara.init(project="p", name="job", tracker_uri=server.url, dir=str(tmp_path / "spool"))
    store.kill()
    run.log_artifact(str(tmp_path / "model.pt"))
    run.log({"loss": 1.0})
    back = threading.Timer(4, store.start)
    back.start()

    run.finish()
    back.join()

    assert [path.read_bytes() for path in objects(store)] == [b"12345"]


def test_store_that_dies_during_an_upload_leaves_no_half_of_it(server, store):
    blow = threading.Thread(target=kill_during_upload, args=(store,))
    blow.start()

    refused = upload(server, os.urandom(96 * MEGABYTE))
    blow.join()

    assert refused.status_code == 503
    store.start()
    time.sleep(3)
    assert (links(server), objects(store)) == ([], [])
    assert upload(server, b"12345").status_code == 200
    assert requests.get(link_of(server), timeout=30).content == b"12345"


def test_server_does_not_start_with_a_wrong_secret(store, tmp_path):
    env = server_env(tmp_path) | store.env() | {"RUNYARD_S3_SECRET_KEY": "other"}

    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert "RUNYARD_S3_SECRET_KEY is not the secret of RUNYARD_S3_ACCESS_KEY" in done.stderr
    assert "other" not in done.stderr
