"""The offline bundle: built, installed where there is no network, and used."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, answers, free_port, wait_until

pytestmark = [pytest.mark.full, pytest.mark.e2e]
START_S = 60
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
JOB = """
import sys, aspara
with aspara.init(project="offline", name="first", tracker_uri=sys.argv[1]) as run:
    run.log({"loss": 0.5}, step=7)
"""


def shut_in() -> list[str]:
    """A command before others that leaves them without any network, where that may be done."""
    command = ["unshare", "--net"]
    if shutil.which(command[0]) and subprocess.run([*command, "true"], check=False).returncode == 0:
        return command
    return []


def bare_env(home: Path) -> dict[str, str]:
    """Nothing of this machine's settings for pip; whoever would ask the network gets no answer."""
    asked = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "PIP_NO_INDEX": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), **asked}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle of the last commit was unpacked and installed."""
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run([sys.executable, "deploy/bundle.py", str(folder)], cwd=ROOT, check=True)
    packed = next(folder.glob("runyard-*.tar.gz"))
    with tarfile.open(packed) as bundle:
        bundle.extractall(folder, filter="data")
    home = folder / packed.name.removesuffix(".tar.gz")
    base = Path(sys.base_prefix, "bin", "python3")  # not that of this environment
    subprocess.run(
        [*shut_in(), str(home / "install.sh")],
        env=bare_env(folder) | {"PYTHON": str(base)},
        check=True,
    )
    return home


@contextmanager
def serving(home: Path, data: Path) -> Iterator[int]:
    port = free_port()
    command = [str(home / ".venv/bin/python"), "manage.py", "serve", "--port", str(port)]
    env = bare_env(data) | {"RUNYARD_DATA_DIR": str(data)}
    with subprocess.Popen(command, cwd=home, env=env, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: answers(port, "/ready"), START_S, "the server answers")
            yield port
        finally:
            server.terminate()


def get(port: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, path
        return answer.read().decode()
    finally:
        connection.close()


def test_installed_bundle_serves_pages_and_takes_points(installed: Path, tmp_path: Path) -> None:
    with serving(installed, tmp_path) as port:
        job = [str(installed / ".venv/bin/python"), "-c", JOB, f"http://127.0.0.1:{port}"]
        subprocess.run(job, env=bare_env(tmp_path) | {"no_proxy": "127.0.0.1"}, check=True)
        metrics = get(port, "/api/projects/offline/runs/metrics?runs=first&raw=1")
        page = get(port, "/projects/offline")
        files = re.findall(r'(?:href|src)="(/static/[^"]+\.[0-9a-f]{12}\.(?:css|js))"', page)
        contents = [get(port, path) for path in files]

    assert '"values":[0.5]' in metrics.replace(" ", "")
    assert {path.rpartition(".")[2] for path in files} == {"css", "js"}
    assert all(contents)
    assert (installed / "static/vendor/uplot.js").is_file()
    assert not (installed / "tests").exists()


def test_package_for_jobs_is_installed_from_it(installed: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv/bin/python")
    found = ["--no-index", "--find-links", str(installed / "wheels"), "runyard"]
    command = [*shut_in(), python, "-m", "pip", "--isolated", "install", "--quiet", *found]

    subprocess.run(command, env=bare_env(tmp_path), check=True)

    said = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    ).stdout
    names = {line.split("==")[0] for line in said.splitlines()} - {"pip", "setuptools"}
    assert names == {"msgpack", "runyard"}


def test_another_python_is_refused(installed: Path, tmp_path: Path) -> None:
    for name in ("install.sh", "BUNDLE"):
        shutil.copy(installed / name, tmp_path)
    (tmp_path / "BUNDLE").write_text('wants="2.7 linux-vax"\n')

    refused = subprocess.run(
        [tmp_path / "install.sh"],
        capture_output=True,
        text=True,
        check=False,
        env=bare_env(tmp_path),
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith("This bundle is for Python 2.7 linux-vax, and python3 is ")
    assert not (tmp_path / ".venv").exists()
